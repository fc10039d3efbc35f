import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { PostgresBinaries } from './binaries.js';
import { isAlive } from './directory-lock.js';
import type { ServerUser } from './server-user.js';

const run = promisify(execFile);
const user = 'assent';
const database = 'assent';
const startLimitMs = 60_000;
const stopLimitSeconds = 60;

export interface RunningCluster {
  readonly pid: number;
  readonly port: number;
}

/** One PostgreSQL cluster in one directory: `data/`, `password`, `postgres.log`. */
export class Cluster {
  private readonly data: string;
  private readonly passwordFile: string;
  private readonly logFile: string;

  constructor(
    private readonly dir: string,
    private readonly binaries: PostgresBinaries,
    private readonly serverUser: ServerUser,
  ) {
    this.data = join(dir, 'data');
    this.passwordFile = join(dir, 'password');
    this.logFile = join(dir, 'postgres.log');
  }

  /** Makes the cluster unless it is there; an interrupted attempt leaves nothing half-made behind. */
  async prepare(): Promise<void> {
    const version = await this.dataVersion();
    if (version !== null) return this.checkVersion(version);
    const fresh = `${this.data}.new`;
    await rm(fresh, { recursive: true, force: true });
    await writeFile(this.passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
    await this.handOver(this.passwordFile);
    const options = [
      '-U',
      user,
      '--auth=scram-sha-256',
      `--pwfile=${this.passwordFile}`,
      '--encoding=UTF8',
      '--locale=C',
    ];
    await run(this.binaries.initdb, ['-D', fresh, ...options], this.spawnOptions());
    await rename(fresh, this.data);
  }

  /** The server that already runs on the data, when it answers; null when there is none. */
  async running(): Promise<RunningCluster | null> {
    const pid = await this.recordedPid();
    const port = Number((await this.postmasterFile())[3]);
    if (pid === null || !isAlive(pid) || !Number.isInteger(port) || port <= 0) return null;
    return (await this.answers(port)) ? { pid, port } : null;
  }

  /** Starts the server and waits until a query is answered; what outlived a crash gets 20 s to go away. */
  async start(port: number, settings: Readonly<Record<string, string>>): Promise<RunningCluster> {
    const deadlineMs = performance.now() + startLimitMs;
    const patienceMs = performance.now() + 20_000;
    for (;;) {
      const log = await this.startOnce(port, settings, deadlineMs);
      if (log === null) return (await this.running())!;
      // The processes of a killed server still hold the data or its shared memory.
      const willPass = /postmaster\.pid|shared memory/.test(log) && performance.now() < patienceMs;
      if (!willPass) throw new Error(`PostgreSQL did not start; ${this.logFile} says:\n${log.slice(-2000)}`);
      await delay(100);
    }
  }

  /** Stops the server, cutting off its clients; a server that is gone already is fine. */
  async stop(): Promise<void> {
    const pid = await this.recordedPid();
    if (pid === null || !isAlive(pid)) return;
    const options = ['-D', this.data, '-m', 'fast', '-w', '-t', String(stopLimitSeconds)];
    try {
      await run(this.binaries.pg_ctl, ['stop', ...options], this.spawnOptions());
    } catch (error) {
      // Just killed: it was a zombie still when we looked.
      if (isAlive(pid)) throw error;
    }
  }

  async url(port: number): Promise<string> {
    return `postgres://${user}:${await this.password()}@127.0.0.1:${port}/${database}`;
  }

  /** Makes our database in a new cluster. */
  async ensureDatabase(port: number): Promise<void> {
    await this.query(port, async (client) => {
      const { rowCount } = await client.query('select from pg_database where datname = $1', [database]);
      if (rowCount === 0) await client.query(`create database ${database}`);
    });
  }

  private async postmasterFile(): Promise<string[]> {
    return (await readFile(join(this.data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  }

  private async recordedPid(): Promise<number | null> {
    const pid = Number((await this.postmasterFile())[0]);
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  }

  /** Answers null when the server is ready, else what it logged before it gave up. */
  private async startOnce(
    port: number,
    settings: Readonly<Record<string, string>>,
    deadlineMs: number,
  ): Promise<string | null> {
    const log = await open(this.logFile, 'w', 0o600);
    try {
      const server = spawn(this.binaries.postgres, ['-D', this.data, '-p', String(port), ...asFlags(settings)], {
        ...this.spawnOptions(),
        // Its own process group: Ctrl-C in the terminal does not reach it, it is stopped after its clients.
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      });
      let ended = false;
      server.once('exit', () => (ended = true));
      server.once('error', () => (ended = true));
      server.unref();
      while (!ended && performance.now() < deadlineMs) {
        const running = await this.running();
        if (running?.pid === server.pid) return null;
        await delay(25);
      }
      if (!ended) server.kill('SIGQUIT');
    } finally {
      await log.close();
    }
    return readFile(this.logFile, 'utf8');
  }

  private async dataVersion(): Promise<string | null> {
    return (await readFile(join(this.data, 'PG_VERSION'), 'utf8').catch(() => null))?.trim() ?? null;
  }

  private async checkVersion(dataVersion: string): Promise<void> {
    const { stdout } = await run(this.binaries.postgres, ['--version'], this.spawnOptions());
    const version = /\d+/.exec(stdout)?.[0];
    if (version !== dataVersion) {
      throw new Error(
        `${this.data} was made by PostgreSQL ${dataVersion}, and this is ${version}: dump and restore it, or use another directory.`,
      );
    }
  }

  private async answers(port: number): Promise<boolean> {
    try {
      await this.query(port, (client) => client.query('select 1'));
      return true;
    } catch {
      return false;
    }
  }

  private async query(port: number, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user,
      password: await this.password(),
      database: 'postgres',
      connectionTimeoutMillis: 2_000,
      query_timeout: 10_000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  private async password(): Promise<string> {
    return (await readFile(this.passwordFile, 'utf8')).trim();
  }

  private async handOver(path: string): Promise<void> {
    const { uid, gid } = this.serverUser.ids;
    if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
  }

  private spawnOptions() {
    // The environment of the caller holds its secrets and may hold PG* settings: the server gets neither.
    return { ...this.serverUser.ids, cwd: this.dir, env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } };
  }
}

// A log line about a failed statement never quotes the statement or the row.
const standing: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

const asFlags = (settings: Readonly<Record<string, string>>): string[] =>
  Object.entries({ ...settings, ...standing }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
