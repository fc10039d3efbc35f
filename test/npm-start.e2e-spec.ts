import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuthorizationRequestDocument } from '#lib/contracts';
import { AssentClient } from './support/assent-client.js';
import { findChromium, launchChromium, type Browser } from './support/chromium.js';
import { startPostgres } from './support/postgres.js';
import { freeConsecutivePorts } from './support/rabbitmq-ports.js';
import { SandboxPhone } from './support/sandbox-phone.js';

/** `npm start` as a person meets it: what it prints, the line that is pasted, the phone, Ctrl-C, a crash, a mistake. */
describe('npm start', () => {
  const canBePasted = findChromium() !== null && spawnSync('curl', ['--version']).status === 0;
  let dataDir: string;
  let port: number;
  let browser: Browser | undefined;
  const running: Start[] = [];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'assent-start-'));
    // The database server runs as another user when this is root: it has to reach the folder.
    await chmod(dataDir, 0o755);
    port = await freeConsecutivePorts(5);
    if (canBePasted) browser = await launchChromium();
  }, 60_000);
  afterEach(async () => {
    for (const start of running.splice(0)) await start.end();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const start = (more: Record<string, string> = {}): Start => {
    const env = { PORT: String(port), ASSENT_SANDBOX_PORT: String(port + 1), ASSENT_DATA_DIR: dataDir, ...more };
    const started = new Start(env);
    running.push(started);
    return started;
  };

  // A slim system may have no curl, and then the line cannot be pasted; the stories below need neither.
  (canBePasted ? it : it.skip)(
    'prints a line that works when pasted, and the approval on the phone page answers it',
    async () => {
      const assent = start();
      const screen = await assent.ready();
      for (const word of ['Console', 'Phone', 'Docs', 'API key']) expect(screen).toContain(word);
      const line = /^\s*(curl .*)$/m.exec(screen)![1]!;
      const pasted = promisify(execFile)('/bin/sh', ['-c', line], { timeout: 60_000 });

      const page = await browser!.newPage({ viewport: { width: 390, height: 844 } });
      await page.goto(/Phone\s+(\S+)/.exec(screen)![1]!);
      await page.getByRole('button', { name: 'Approve' }).first().click();

      const request = JSON.parse((await pasted).stdout) as AuthorizationRequestDocument;
      expect(request).toMatchObject({
        status: 'approved',
        decision: { outcome: 'approved', evidence: { subject: 'alice' } },
      });
      await page.close();
      expect(await assent.interrupt()).toBe(0);
    },
    120_000,
  );

  it('finishes a request that was pending when the process was killed', async () => {
    const first = start();
    const screen = await first.ready();
    const assent = new AssentClient(`http://127.0.0.1:${port}`, keyOn(screen));
    const { body } = await assent.submit({ rule: 'Approve a payment', attributes: { email: 'bob@example.com' } });
    const phone = new SandboxPhone(`http://127.0.0.1:${port + 1}`);
    await phone.next('bob@example.com');
    await first.kill9();

    const second = start();
    expect(keyOn(await second.ready())).toBe(keyOn(screen));
    await phone.answerNext('bob@example.com', 'approve');
    expect(await assent.decided(body.id)).toMatchObject({ status: 'approved' });
    expect(await second.interrupt()).toBe(0);
  }, 120_000);

  it('says in one sentence that a port is in use', async () => {
    const other = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const assent = start();
    expect(await assent.exit()).toBe(1);
    expect(assent.screen).toContain(`Port ${port} is in use`);
    expect(assent.screen).not.toContain('    at ');
    await new Promise((resolve) => other.close(resolve));
  }, 60_000);

  it('waits for a database that does not answer, says so, and goes on when it does', async () => {
    const postgres = await startPostgres();
    await postgres.kill9();
    const env = { DATABASE_URL: postgres.url, PORT: String(port + 4), ASSENT_SANDBOX_PORT: '0' };
    const impatient = start(env);
    await impatient.says('The database does not answer');
    expect(await impatient.interrupt()).toBe(0);
    const patient = start(env);
    await patient.says('The database does not answer');
    await postgres.restart();
    await patient.ready();
    expect(await patient.interrupt()).toBe(0);
    await postgres.stop();
  }, 240_000);

  it('says in one sentence that another run uses the data directory', async () => {
    const screen = await start({ PORT: '0' }).ready();
    // Where it says that it is, though nobody said where.
    const address = /Console\s+(\S+)\/console/.exec(screen)![1]!;
    expect((await fetch(`${address}/health/live`)).status).toBe(200);
    const second = start({ PORT: String(port + 2), ASSENT_SANDBOX_PORT: '0' });
    expect(await second.exit()).toBe(1);
    expect(second.screen).toMatch(/Another Assent \(process \d+\) uses/);
    expect(second.screen).not.toContain('    at ');
  }, 120_000);

  it('names every setting that is wrong', async () => {
    const assent = start({ PORT: 'http', ASSENT_API_KEY: 'short' });
    expect(await assent.exit()).toBe(1);
    expect(assent.screen).toMatch(/PORT: .*\n.*ASSENT_API_KEY: must be 24 printable characters/);
  }, 60_000);

  it('keeps its keys where only their owner reads them', async () => {
    const key = await readFile(join(dataDir, 'api-key'), 'utf8');
    expect(key.trim().length).toBeGreaterThanOrEqual(24);
    const { stat } = await import('node:fs/promises');
    for (const name of ['api-key', 'master-keys']) {
      expect((await stat(join(dataDir, name))).mode & 0o077).toBe(0);
    }
  });
});

const keyOn = (screen: string): string => /API key\s+(\S+)/.exec(screen)![1]!;

/** One `npm start`, with its screen. */
class Start {
  screen = '';
  readonly #child: ChildProcess;
  readonly #left: Promise<number | null>;

  constructor(env: Record<string, string>) {
    const child = spawn(process.execPath, ['scripts/start.mjs'], {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: tmpdir(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, as a terminal gives it: Ctrl-C reaches every process of the group.
      detached: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.screen += chunk.toString()));
    this.#left = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  }

  /** Resolves with the screen once everything is up. */
  ready(): Promise<string> {
    return this.says('Ctrl-C stops everything');
  }

  /** Resolves with the screen once these words are on it. */
  async says(words: string): Promise<string> {
    const gone = this.#left.then((code) => {
      throw new Error(`npm start ended with ${code}:\n${this.screen}`);
    });
    const up = new Promise<string>((resolve) => {
      const look = (): void => {
        if (this.screen.includes(words)) resolve(this.screen);
      };
      this.#child.stdout!.on('data', look);
      look();
    });
    return Promise.race([up, gone]);
  }

  exit(): Promise<number | null> {
    return this.#left;
  }

  /** Ctrl-C. */
  async interrupt(): Promise<number | null> {
    this.#signal('SIGINT');
    return this.#left;
  }

  async kill9(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#left;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#signal('SIGINT');
    await this.#left;
  }

  #signal(signal: NodeJS.Signals): void {
    process.kill(-this.#child.pid!, signal);
  }
}
