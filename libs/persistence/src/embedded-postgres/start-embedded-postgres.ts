import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { silent, type PersistenceLog } from '../log.js';
import { findBinaries } from './binaries.js';
import { Cluster } from './cluster.js';
import { DirectoryLock } from './directory-lock.js';
import { findFreePort, isFree } from './free-port.js';
import { checkReach, findServerUser } from './server-user.js';

export interface EmbeddedPostgresOptions {
  /** Holds the cluster, its password and its log; kept over restarts, used by one run at a time. */
  readonly dir: string;
  /** Chosen free below 32768, and remembered in `dir`, unless given. */
  readonly port?: number | undefined;
  /** Server settings, for example `{ max_connections: '200' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly log?: PersistenceLog | undefined;
}

export interface EmbeddedPostgres {
  readonly url: string;
  readonly pid: number;
  /** True when a server that had outlived its owner was taken over. */
  readonly adopted: boolean;
  /** Stops the server and frees the directory; disconnect its clients first. */
  stop(): Promise<void>;
}

/**
 * Runs a real PostgreSQL server, on the loopback address only, from binaries that came with npm. The server is not tied
 * to this process: it outlives a crash, and the next run adopts it. Throws `DataDirectoryInUse` while another run lives.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dir = resolve(options.dir);
  const log = options.log ?? silent;
  const binaries = await findBinaries();
  const serverUser = await findServerUser();
  await mkdir(dir, { recursive: true });
  const { uid, gid } = serverUser.ids;
  if (uid !== undefined && gid !== undefined) await chown(dir, uid, gid);
  await chmod(dir, 0o700);
  await checkReach(serverUser, binaries.postgres);
  await checkReach(serverUser, dir);

  const lock = await DirectoryLock.acquire(dir);
  try {
    const cluster = new Cluster(dir, binaries, serverUser);
    await cluster.prepare();
    const survivor = await cluster.running();
    const running = survivor ?? (await cluster.start(await choosePort(dir, options.port), options.settings ?? {}));
    await cluster.ensureDatabase(running.port);
    const adopted = survivor !== null;
    log('info', adopted ? 'Took over the running PostgreSQL.' : 'Started PostgreSQL.', { port: running.port });
    return {
      url: await cluster.url(running.port),
      pid: running.pid,
      adopted,
      stop: async () => {
        await cluster.stop();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The same port as last time if it is still free, so that addresses written down stay true. */
async function choosePort(dir: string, wanted: number | undefined): Promise<number> {
  if (wanted !== undefined) return wanted;
  const file = join(dir, 'port');
  const last = Number(await readFile(file, 'utf8').catch(() => '0'));
  const port = Number.isInteger(last) && last > 0 && (await isFree(last)) ? last : await findFreePort();
  await writeFile(file, String(port));
  return port;
}
