/**
 * `npm run bench`: measures Assent beside the least that each hop can cost and beside what one would build instead, all
 * in turn, on private servers; docs/performance.md says how to read it.
 *
 * `-- <scenario> …` runs some scenarios, `--list` names them; `--long` runs those that a full run leaves out, for they take
 * too long; `--quick` is short and leaves the long ones out (its figures are for development);
 * `--rounds N`; `--only TEXT` lets only contestants with that text in their name take part; `--profile` writes processor
 * profiles of the services; `--built` measures what dist holds, and builds nothing; `--out FOLDER` is where
 * everything goes; `--evidence` also writes docs/evidence and, of a full run, the table of the README.
 */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { register } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildWhatIsStale } from './build.mjs';
import { command, stopListening } from './command.mjs';
import { inThisClone, installWhatIsMissing, requireNode, root } from './install.mjs';
import { Obstacle, run, step } from './progress.mjs';
import { endStragglers } from './stragglers.mjs';
import { provideServers } from './test-programs.mjs';

const peers = join(root, 'bench/peers/packages');

await run(async () => {
  requireNode();
  if (process.platform !== 'linux')
    throw new Obstacle('The benchmark reads processor times from /proc: it needs Linux.');
  const options = read();
  await inThisClone(async (announce) => {
    if (!options.built) {
      await installWhatIsMissing(announce);
      await buildWhatIsStale();
    }
    await installPeers(announce);
  });
  if (!options.list) await provideServers({ redis: true });
  register('./typescript-hooks.mjs', import.meta.url);
  const load = (file) => import(pathToFileURL(join(root, 'bench', file)).href);
  const { estimatedSeconds, runBench, scenarios } = await load('run.ts');
  if (options.list) {
    for (const { name, ids, title, onRequest } of scenarios)
      console.log(
        `${name.padEnd(14)} ${ids.join(', ').padEnd(13)} ${title}${onRequest ? ' (with --long, or when named)' : ''}`,
      );
    return;
  }
  if (options.long) options.names = scenarios.filter(({ onRequest }) => onRequest).map(({ name }) => name);
  const unknown = options.names.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown !== undefined)
    throw new Obstacle(`There is no scenario "${unknown}"; \`npm run bench -- --list\` names them.`);
  const state = await stateOfTree();
  if (options.evidence && state.changes !== '')
    throw new Obstacle(
      'What is published names a commit: commit your changes first, and leave the files alone meanwhile.',
    );
  if (!existsSync('/usr/bin/redis-server')) console.log('Without redis-server the peers with BullMQ do not take part.');

  stopListening();
  // The helpers of the servers are not waited for; this process has to stay until it has stopped them.
  const awake = setInterval(() => undefined, 60_000);
  const scratch = await mkdtemp(join(tmpdir(), 'assent-bench-run-'));
  await chmod(scratch, 0o755);
  process.env.TMPDIR = scratch;
  await mkdir(options.folder, { recursive: true });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => void endStragglers(scratch).finally(() => process.exit(130)));
  }
  const startedAt = performance.now();
  const tell = (text) =>
    console.log(`${String(Math.round((performance.now() - startedAt) / 1000)).padStart(5)} s  ${text}`);
  const seconds = estimatedSeconds(options);
  console.log(
    `About ${seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} minutes`} on two quiet cores.`,
  );
  const { markdownOf } = await load('report/report.ts');
  const pagesOf = ({ results, failures, conditions }) => {
    const all = { ...conditions, command: options.command, commit: state.commit.slice(0, 7) };
    const data = `${JSON.stringify({ conditions: all, results, failures }, null, 1)}\n`;
    return { all, page: markdownOf(all, results, failures), data };
  };
  const keep = async (outcome) => {
    const { page, data } = pagesOf(outcome);
    await writeFile(join(options.folder, 'bench.md'), page);
    await writeFile(join(options.folder, 'bench.json'), data);
  };
  try {
    const outcome = await runBench({ ...options, tell, keep });
    const { results, failures } = outcome;
    const { all, page, data } = pagesOf(outcome);
    const stayed = JSON.stringify(await stateOfTree()) === JSON.stringify(state);
    if (options.evidence && !stayed) {
      console.error('Not published: files have changed while it ran.');
      process.exitCode = 1;
    }
    if (options.evidence && stayed && results.length > 0) {
      await mkdir(join(root, 'docs/evidence'), { recursive: true });
      const name = `docs/evidence/bench-${options.long ? 'long-' : ''}${all.date}`;
      const written = [`${name}.md`, `${name}.json`];
      await writeFile(join(root, `${name}.md`), page);
      await writeFile(join(root, `${name}.json`), data);
      if (!options.long) {
        const { plotOf } = await load('report/plot.ts');
        const { withResults } = await load('report/readme.ts');
        await writeFile(join(root, `${name}.svg`), plotOf(results));
        const readme = join(root, 'README.md');
        await writeFile(readme, withResults(await readFile(readme, 'utf8'), all, results));
        written.push('README.md');
      }
      await command(process.execPath, [join(root, 'node_modules/prettier/bin/prettier.cjs'), '--write', ...written], {
        cwd: root,
      });
    }
    console.log(`\n${page}`);
    for (const failure of failures) console.error(`Failed: ${failure}\n`);
    if (failures.length > 0) process.exitCode = 1;
    console.log(
      `${Math.round((performance.now() - startedAt) / 1000)} s; in ${relative(process.cwd(), options.folder)}.`,
    );
  } finally {
    clearInterval(awake);
    await endStragglers(scratch);
    await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
});
process.exit();

/** The commit, and what differs from it. */
async function stateOfTree() {
  const commit = (await command('git', ['rev-parse', 'HEAD'], { cwd: root })).output.trim();
  const changes = (await command('git', ['status', '--porcelain'], { cwd: root })).output.trim();
  return { commit, changes };
}

function read() {
  const { values, positionals } = parsed({
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string', default: '' },
    profile: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
    out: { type: 'string' },
    evidence: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
  });
  if (values.long && positionals.length > 0) throw new Obstacle('--long names its scenarios itself.');
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Obstacle('--rounds is not a whole number of rounds.');
  if (values.evidence && (values.quick || values.only !== '' || positionals.length > 0 || rounds < 5)) {
    throw new Obstacle(
      'What is published comes from a whole run: --evidence goes with no other choice but --long and --rounds of 5 or more.',
    );
  }
  const folder = resolve(values.out ?? join(root, '.assent/bench'));
  return {
    ...values,
    names: positionals,
    rounds,
    folder,
    profileTo: values.profile ? folder : null,
    command: ['npm run bench --', ...process.argv.slice(2)].join(' ').replace(/ --$/, ''),
  };
}

/** What was asked for. */
function parsed(options) {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new Obstacle(`${error.message.split('. ')[0]}. Known are ${known.join(', ')}, and names of scenarios.`);
  }
}

/** The peers have packages of their own: nobody who does not measure needs them. */
async function installPeers(announce) {
  if (existsSync(join(peers, 'node_modules/.package-lock.json'))) return;
  await step('Installing the packages of the peers', async () => {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const { code, output } = await command('npm', args, { cwd: peers, onStart: announce });
    if (code !== 0) throw new Obstacle(`The packages of the peers could not be installed:\n\n${output.trim()}`);
  });
}
