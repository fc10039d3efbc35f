import { readFile, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Ends the processes of this user that still work with a folder (by their command line, directory or environment):
 * those that an interrupted test run has left behind. Only where /proc tells (Linux).
 */
export async function endStragglers(folder) {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    const left = await processesOf(folder);
    if (left.length === 0) return;
    for (const pid of left) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    }
    for (let waited = 0; waited < 50 && (await processesOf(folder)).length > 0; waited++) await pause(100);
  }
}

async function processesOf(folder) {
  const entries = await readdir('/proc').catch(() => []);
  const found = await Promise.all(
    entries
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map(async (name) => ((await worksWith(join('/proc', name), folder)) ? Number(name) : null)),
  );
  return found.filter((pid) => pid !== null);
}

async function worksWith(entry, folder) {
  const texts = await Promise.all([
    readFile(join(entry, 'cmdline'), 'utf8').catch(() => ''),
    readFile(join(entry, 'environ'), 'utf8').catch(() => ''),
    readlink(join(entry, 'cwd')).catch(() => ''),
  ]);
  return texts.some((text) => text.includes(folder));
}
