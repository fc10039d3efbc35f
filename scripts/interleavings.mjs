/**
 * `npm run interleavings`: every pair of commands in every order of their statements, on a real Postgres of its own;
 * `-- --triples N --seed S` instead lets N random triples meet, and `-- --only 'decided: consume'` only meetings whose name has
 * that. A failure names the meeting and the order.
 */
import { randomInt } from 'node:crypto';
import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from './install.mjs';
import { Obstacle, run } from './progress.mjs';

register('./typescript-hooks.mjs', import.meta.url);
const ours = (path) => import(pathToFileURL(join(root, 'test/interleavings', path)).href);

await run(async () => {
  const { values } = parseArgs({
    options: {
      triples: { type: 'string' },
      seed: { type: 'string' },
      lanes: { type: 'string' },
      only: { type: 'string', default: '' },
    },
  });
  const number = (name, otherwise) => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (!Number.isSafeInteger(value) || value < 0) throw new Obstacle(`--${name} is not a whole number.`);
    return value;
  };
  const lanes = number('lanes', 8);
  const startedAt = performance.now();
  let runs = 0;
  let said = 0;
  const tell = () => {
    if (performance.now() - said < 1000) return;
    said = performance.now();
    process.stdout.write(`\r${runs} runs, ${Math.round((said - startedAt) / 1000)} s `);
  };
  const fail = ({ meeting, trace, problems }) => {
    throw new Obstacle(`\n${meeting}\n  ${trace.join('\n  ')}\n${problems.join('\n')}`);
  };
  const { exploreAll, onLanes } = await ours('explore.ts');
  if (values.triples === undefined) {
    const { everyPair, nameOf } = await ours('plan.ts');
    const meetings = everyPair().filter((meeting) => nameOf(meeting).includes(values.only));
    await exploreAll(meetings, lanes, (result) => {
      runs += result.runs;
      if (result.violations.length > 0) fail(result.violations[0]);
      if (!result.complete) throw new Obstacle('\nAn order was left out.');
      tell();
    });
  } else {
    const seed = number('seed', randomInt(1_000_000));
    console.log(`Seed ${seed}`);
    const { randomTriples } = await ours('triples.ts');
    const one = async (place, triple) => {
      const violation = await place.randomOrder(triple);
      if (violation) fail(violation);
      runs++;
      tell();
    };
    await onLanes(lanes, randomTriples(number('triples', 20_000), seed), one, { processes: 3 });
  }
  console.log(`\r${runs} runs in ${Math.round((performance.now() - startedAt) / 1000)} s: nothing found.`);
});
