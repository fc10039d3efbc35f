import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** As whom the server runs: empty for an ordinary user, whose own rights it then has. */
export interface ServerUser {
  readonly name: string | null;
  readonly ids: { readonly uid?: number; readonly gid?: number };
}

/** PostgreSQL refuses to run as root: there it runs as `postgres`, or else as `nobody`. */
export async function findServerUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return { name: null, ids: {} };
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all(
        ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)),
      );
      if (Number.isInteger(uid) && Number.isInteger(gid)) return { name, ids: { uid: uid!, gid: gid! } };
    } catch {
      // No such user; try the next.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody" to run it as.');
}

/** Throws when that user cannot get at a file or directory, as happens below a home directory of mode 0700. */
export async function checkReach(user: ServerUser, path: string): Promise<void> {
  if (user.name === null) return;
  try {
    await run('test', ['-x', path], { ...user.ids, cwd: '/' });
  } catch {
    throw new Error(
      `PostgreSQL does not run as root; it runs as "${user.name}", and that user cannot reach ${path}. ` +
        'Use a directory that others may enter (not below /root), start Assent as an ordinary user, or set DATABASE_URL.',
    );
  }
}
