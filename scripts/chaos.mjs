/**
 * `npm run chaos [-- --requests N --faults N --wipes N --seed S --out DIR --short --evidence]`: runs two of each service against
 * faults of every kind, lets the checker judge what is left, and writes the report. Without a seed one is drawn and told.
 */
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { register } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildWhatIsStale } from './build.mjs';
import { command, stopListening } from './command.mjs';
import { inThisClone, installWhatIsMissing, requireNode, root } from './install.mjs';
import { Obstacle, run } from './progress.mjs';
import { endStragglers } from './stragglers.mjs';
import { provideServers } from './test-programs.mjs';

const checker = join(root, 'test/chaos/checker/check.mjs');
const full = { requests: 10_000, faults: 300, wipes: 2, overMs: 900_000, settleMs: 300_000 };
const short = { requests: 1_000, faults: 15, wipes: 0, overMs: 32_000, settleMs: 120_000 };

await run(async () => {
  requireNode();
  const options = read();
  await inThisClone(async (announce) => {
    await installWhatIsMissing(announce);
    await buildWhatIsStale();
  });
  await provideServers();
  register('./typescript-hooks.mjs', import.meta.url);
  const load = (file) => import(pathToFileURL(join(root, 'test/chaos', file)).href);

  stopListening();
  // The helpers of the servers are not waited for; this process has to stay until it has stopped them.
  const awake = setInterval(() => undefined, 60_000);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.abort());
  // Whatever outlives the run by mistake is found by this folder.
  const scratch = await mkdtemp(join(tmpdir(), 'assent-chaos-'));
  await chmod(scratch, 0o755);
  process.env.TMPDIR = scratch;
  await rm(options.folder, { recursive: true, force: true });
  await mkdir(options.folder, { recursive: true });
  console.log(`Seed ${options.seed}: ${options.requests} requests, ${options.faults} faults, ${options.wipes} wipes`);
  const replay = `npm run chaos -- --seed ${options.seed} --requests ${options.requests} --faults ${options.faults} --wipes ${options.wipes}${options.short ? ' --short' : ''}`;
  const startedAt = performance.now();
  try {
    const { runChaos } = await load('run.ts');
    const result = await runChaos({ ...options, signal: stop.signal, tell: show(options.seed, startedAt) });
    process.stdout.write('\n');
    const problems = [...result.unexpected.slice(0, 20)];
    if (result.quiescence.at === null)
      problems.push(`it did not come to rest: ${JSON.stringify(result.quiescence.left)}`);
    const { checkSanity } = await load('sanity.ts');
    problems.push(...(await checkSanity(options.folder)));
    await writeFile(
      join(options.folder, 'problems.json'),
      JSON.stringify({ unexpected: result.unexpected, problems }, null, 1),
    );
    const verdict = existsSync(checker)
      ? await command(process.execPath, [checker, options.folder], { show: true })
      : { code: 0 };
    if (!existsSync(checker)) console.log('The checker is not there; only the sanity of the history was looked at.');
    if (problems.length > 0 || verdict.code !== 0) {
      throw new Obstacle(
        [
          ...problems,
          `The run with seed ${options.seed} failed; its history is in ${relative(process.cwd(), options.folder) || '.'}.`,
          `The same load and faults again (the scheduling of the machine is not replayed): ${replay}`,
        ].join('\n'),
      );
    }
    const { summarize, writeReport } = await load('report.ts');
    const report = await summarize(options.folder, {
      command: replay,
      commit: (await command('git', ['rev-parse', '--short', 'HEAD'], { cwd: root })).output.trim(),
      tookSeconds: Math.round((performance.now() - startedAt) / 1000),
    });
    await writeReport(report, join(options.folder, 'report'));
    if (options.evidence) {
      await mkdir(join(root, 'docs/evidence'), { recursive: true });
      await writeReport(report, join(root, 'docs/evidence', `chaos-${report.date}`));
    }
    console.log(
      `Nothing lost, nothing doubled, in ${Math.round((performance.now() - startedAt) / 1000)} s; the history is in ${relative(process.cwd(), options.folder)}.`,
    );
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    console.log('\nStopped.');
    process.exitCode = 130;
  } finally {
    clearInterval(awake);
    await endStragglers(scratch);
    await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
});
// Nothing that still waits for an answer keeps the command from ending.
process.exit();

function read() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: {
      requests: text,
      faults: text,
      wipes: text,
      seed: text,
      out: text,
      short: { type: 'boolean' },
      evidence: { type: 'boolean' },
    },
  });
  const number = (name, otherwise) => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (!Number.isSafeInteger(value) || value < 0) throw new Obstacle(`--${name} is not a whole number.`);
    return value;
  };
  const base = values.short ? short : full;
  const seed = number('seed', randomInt(1_000_000));
  const requests = number('requests', base.requests);
  const faults = number('faults', base.faults);
  const wipes = number('wipes', base.wipes);
  // One fault every three seconds, unless there are few; and never more than forty requests in a second.
  const overMs = values.short ? base.overMs : Math.max(faults * 3_000, requests * 25, 30_000);
  const folder = resolve(values.out ?? join(root, '.assent/chaos', String(seed)));
  return {
    ...base,
    short: values.short === true,
    evidence: values.evidence === true,
    seed,
    requests,
    faults,
    wipes,
    overMs,
    folder,
  };
}

/** One line that is written over in a terminal; one every ten seconds elsewhere. */
function show(seed, startedAt) {
  const live = process.stdout.isTTY === true && process.env.CI === undefined;
  let told = { phase: '', at: 0 };
  return ({ phase, requests, decided, faults, slowestRecoveryMs, note }) => {
    if (!live && phase === told.phase && performance.now() - told.at < 10_000) return;
    told = { phase, at: performance.now() };
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const line = `${seconds} s  ${phase}: ${requests} requests, ${decided} decided, ${faults} faults, slowest recovery ${(slowestRecoveryMs / 1000).toFixed(1)} s, seed ${seed} ${note}`;
    process.stdout.write(live ? `\r\x1b[2K${line.slice(0, process.stdout.columns - 1)}` : `${line}\n`);
  };
}
