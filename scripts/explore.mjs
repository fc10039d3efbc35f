/**
 * `npm run explore`: goes through every order of events in worlds in which more goes wrong than in those of `npm test`,
 * over the functions that production decides with. `-- --only TEXT` takes the scenarios whose name contains a text;
 * `-- --bugs` shows instead how each seeded bug is found, with its shortest trace. docs/explorer.md tells how to read it.
 */
import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from './install.mjs';
import { Obstacle, run, step } from './progress.mjs';

register('./typescript-hooks.mjs', import.meta.url);

await run(async () => {
  const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, bugs: { type: 'boolean' } } });
  const load = (file) => import(pathToFileURL(join(root, 'test/explorer', file)).href);
  const { explore, traceOf } = await load('search.ts');
  if (values.bugs) {
    const { seededBugs } = await load('seeded-bugs.ts');
    for (const { name, bounds, protocol, breaks } of seededBugs.filter((bug) => bug.name.includes(values.only))) {
      const { violation, states } = explore(bounds, { protocol });
      if (!violation?.invariant.startsWith(breaks)) throw new Obstacle(`The seeded bug "${name}" was not found.`);
      console.log(`\n✔ ${name} (${states} states)\n${traceOf(violation)}`);
    }
    return;
  }
  const { everyRun, largeRun } = await load('scenarios.ts');
  let states = 0;
  let transitions = 0;
  for (const { name, bounds } of [...everyRun, ...largeRun].filter((one) => one.name.includes(values.only))) {
    const result = await step(name, (note) => {
      const onProgress = (found, made) => note(`${found} states, ${made} transitions`);
      const exploration = explore(bounds, { onProgress });
      onProgress(exploration.states, exploration.transitions);
      return exploration;
    });
    if (result.violation) throw new Obstacle(traceOf(result.violation));
    states += result.states;
    transitions += result.transitions;
  }
  console.log(`\n${states} states, ${transitions} transitions: 0 violations, 0 stuck`);
});
