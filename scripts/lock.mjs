import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { appendFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Runs `work` while no other process of this machine does so under the same lock file. The file holds the owner's
 * process id, and those of the programs that it announced by the function that `work` gets: they may outlive it. A lock
 * whose processes are gone is taken over. `onWait` is called once, with an id, when somebody is ahead.
 */
export async function alone(file, work, onWait) {
  await mkdir(dirname(file), { recursive: true });
  let told = false;
  while (!(await take(file))) {
    const owners = await ownersOf(file);
    if (owners === null) continue;
    const living = owners.find(lives);
    if (living === undefined) {
      await breakLock(file);
      continue;
    }
    if (!told) onWait(living);
    told = true;
    await pause(300);
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work((pid) => appendFileSync(file, `${pid}\n`));
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

async function take(file) {
  try {
    await writeFile(file, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

async function ownersOf(file) {
  try {
    const text = await readFile(file, 'utf8');
    if (text !== '') return pids(text);
    // Just created, its owner has not written yet.
    await pause(50);
    return pids(await readFile(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

const pids = (text) => text.split('\n').filter(Boolean).map(Number);

function lives(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

// Renaming is atomic: of several who find the same dead owner, one moves the file. Who moved a living lock by
// mistake (it was taken over in between) puts it back.
async function breakLock(file) {
  const aside = `${file}.${process.pid}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (pids(await readFile(aside, 'utf8')).some(lives)) await rename(aside, file);
  else await rm(aside, { force: true });
}
