import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Runs `work` while no other process of this machine does so under the same lock file. The file holds the owner's
 * process id, and those of the programs that it announced by the function that `work` gets: they may outlive it. Beside
 * each id stands when that process began: after a restart of the machine, another one may have the same id. A lock whose
 * processes are gone is taken over. `onWait` is called once, with an id, when somebody is ahead.
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
    if (!told) onWait(living.pid);
    told = true;
    await pause(300);
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work((pid) => appendFileSync(file, lineOf(pid)));
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

async function take(file) {
  try {
    await writeFile(file, lineOf(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

async function ownersOf(file) {
  try {
    const text = await readFile(file, 'utf8');
    if (text !== '') return owners(text);
    // Just created, its owner has not written yet.
    await pause(50);
    return owners(await readFile(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Who a process is: its id and its birth. */
const lineOf = (pid) => `${pid} ${birthOf(pid) ?? ''}\n`;

const owners = (text) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [pid, ...birth] = line.split(' ');
      return { pid: Number(pid), birth: birth.join(' ') };
    });

function lives({ pid, birth }) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  const now = birthOf(pid);
  // Where nobody can tell, the id has to do.
  return birth === '' || now === null || now === birth;
}

/** When a process began, in the words of its system: the same as long as it lives, another one for every other process. */
function birthOf(pid) {
  try {
    // Linux: ticks since the machine began (field 22, after a name that may hold blanks), and which beginning that was.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}@${boot}`;
  } catch {
    return bornByPs(pid);
  }
}

function bornByPs(pid) {
  try {
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 5000 };
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], options)
        .trim()
        .replaceAll(/\s+/g, '-') || null
    );
  } catch {
    return null;
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
  if (owners(await readFile(aside, 'utf8')).some(lives)) await rename(aside, file);
  else await rm(aside, { force: true });
}
