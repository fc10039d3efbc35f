/**
 * `npm test`: installs what is missing, builds, and runs every test against real servers, which the tests start
 * themselves. `npm test -- <path>` runs a part; `npm run test:long` runs the suites that take minutes instead. Ends with
 * the line `N passed, N failed, N skipped`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildWhatIsStale } from './build.mjs';
import { exitCodeOf, stopListening } from './command.mjs';
import { inThisClone, installWhatIsMissing, requireNode, root } from './install.mjs';
import { endStragglers } from './stragglers.mjs';
import { run } from './progress.mjs';
import { provideTestPrograms } from './test-programs.mjs';

const { long, rest } = argumentsOf(process.argv.slice(2));

await run(async () => {
  requireNode();
  const programs = await inThisClone(async (announce) => {
    await installWhatIsMissing(announce);
    const found = await provideTestPrograms();
    await buildWhatIsStale();
    return found;
  });
  // Everything that the tests write lies in one folder, which also marks every process that they start.
  const folder = await mkdtemp(join(tmpdir(), 'assent-'));
  await chmod(folder, 0o755);
  const summaryFile = join(folder, 'summary.json');
  const code = await jest({
    ...process.env,
    ...programs.env,
    TMPDIR: folder,
    ASSENT_TEST_SUMMARY: summaryFile,
    ...long,
  });
  const summary = existsSync(summaryFile) ? JSON.parse(readFileSync(summaryFile, 'utf8')) : null;
  await endStragglers(folder);
  await programs.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  for (const note of programs.notes) console.log(`\n${note}`);
  const { passed, failed, skipped } = summary ?? { passed: 0, failed: 0, skipped: 0 };
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = code !== 0 ? code : passed + failed === 0 || failed > 0 ? 1 : 0;
});

/** Runs jest in a process group of its own, so that a stop reaches everything that the tests have started. */
function jest(env) {
  stopListening();
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        join(root, 'node_modules/jest/bin/jest.js'),
        ...rest,
      ],
      { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'], detached: true },
    );
    let stopped = null;
    const signalGroup = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        stopped ??= signal;
        signalGroup('SIGTERM');
        setTimeout(() => signalGroup('SIGKILL'), 10_000).unref();
      });
    }
    child.once('close', (code, signal) => resolve(stopped ? exitCodeOf(null, stopped) : exitCodeOf(code, signal)));
  });
}

function argumentsOf(all) {
  const rest = all.filter((argument) => argument !== '--long');
  return { long: rest.length < all.length ? { ASSENT_LONG_TESTS: '1' } : {}, rest };
}
