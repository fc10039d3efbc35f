import { randomUUID } from 'node:crypto';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Another live run uses the data directory. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';
}

interface Owner {
  readonly pid: number;
  /** When the process began, in the kernel's words: a pid alone may belong to somebody else by now. */
  readonly began: string | null;
}

/** Says which process uses a directory; a lock of a process that died counts for nothing. */
export class DirectoryLock {
  private constructor(private readonly file: string) {}

  /** Throws `DataDirectoryInUse` while the process that holds the lock lives. */
  static async acquire(dir: string): Promise<DirectoryLock> {
    const file = join(dir, 'owner.json');
    const mine = join(dir, `owner.${randomUUID()}.json`);
    await writeFile(mine, JSON.stringify({ pid: process.pid, began: await beganAt(process.pid) } satisfies Owner));
    try {
      for (;;) {
        if (await linked(mine, file)) return new DirectoryLock(file);
        const owner = await readOwner(file);
        if (owner !== null && (await lives(owner))) {
          throw new DataDirectoryInUse(
            `Another Assent (process ${owner.pid}) uses ${dir}. Stop it, or give this one another ASSENT_DATA_DIR.`,
          );
        }
        await takeOver(file, mine);
      }
    } finally {
      await unlink(mine).catch(() => undefined);
    }
  }

  async release(): Promise<void> {
    await unlink(this.file).catch(() => undefined);
  }
}

/** Removes the lock of a dead process; a second lock makes sure that only one run at a time does. */
async function takeOver(file: string, mine: string): Promise<void> {
  const turn = `${file}.takeover`;
  if (!(await linked(mine, turn))) {
    const other = await readOwner(turn);
    if (other === null || !(await lives(other))) await unlink(turn).catch(() => undefined);
    await delay(20);
    return;
  }
  try {
    const owner = await readOwner(file);
    // Somebody may have come and gone since we looked.
    if (owner === null || !(await lives(owner))) await rename(file, `${mine}.dead`).catch(() => undefined);
    await unlink(`${mine}.dead`).catch(() => undefined);
  } finally {
    await unlink(turn).catch(() => undefined);
  }
}

// A link appears with its whole content or not at all.
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readOwner(file: string): Promise<Owner | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner;
  } catch {
    return null;
  }
}

async function lives({ pid, began }: Owner): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const now = await beganAt(pid);
  return began === null || now === null || began === now;
}

/** True while a process with this id exists, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

// The start time is the 22nd field of the stat line; the second one, the name in parentheses, may hold spaces.
async function beganAt(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
