import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Runs `work` while no other process of this machine does so under the same lock file. The file holds the owner's
 * process id; a lock whose owner is gone is taken over. `onWait` is called once, with that id, when somebody is ahead.
 */
export async function alone(file, work, onWait) {
  await mkdir(dirname(file), { recursive: true });
  let told = false;
  while (!(await take(file))) {
    const owner = await ownerOf(file);
    if (owner === null) continue;
    if (!lives(owner)) {
      await breakLock(file, owner);
      continue;
    }
    if (!told) onWait(owner);
    told = true;
    await pause(300);
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

async function take(file) {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

async function ownerOf(file) {
  try {
    const text = await readFile(file, 'utf8');
    if (text !== '') return Number(text);
    // Just created, its owner has not written yet.
    await pause(50);
    return Number((await readFile(file, 'utf8')) || '0');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

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
async function breakLock(file, owner) {
  const aside = `${file}.${process.pid}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  const moved = Number(await readFile(aside, 'utf8'));
  if (moved !== owner && lives(moved)) await rename(aside, file);
  else await rm(aside, { force: true });
}
