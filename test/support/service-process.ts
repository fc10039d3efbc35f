import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Generous: a machine that is busy elsewhere starts a process in many times its usual second. */
const readyLimitMs = 180_000;
const stopLimitMs = 20_000;

/** The document of /health/ready. */
export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'not-ready';
  readonly checks: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly reason: string | null;
    readonly whatToDo: string | null;
  }[];
}

/** Resolves with the readiness that a service tells as soon as it is as expected. */
export async function untilReadiness(url: string, expected: (readiness: Readiness) => boolean): Promise<Readiness> {
  const deadline = Date.now() + readyLimitMs;
  let last: Readiness | null = null;
  while (Date.now() < deadline) {
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    last = answer && ((await answer.json()) as Readiness);
    if (last && expected(last)) return last;
    await pause(50);
  }
  throw new Error(`${url} says ${JSON.stringify(last)}`);
}

/** One built service running as a process of its own; it can be killed and started again on the same port. */
export class ServiceProcess {
  #child: ChildProcess | null = null;
  #output = '';

  constructor(
    readonly name: string,
    readonly port: number,
    private readonly env: Readonly<Record<string, string>>,
    private readonly readyPath = '/health/ready',
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What the process has written so far, both streams together. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when the service says that it is ready. */
  async start(): Promise<void> {
    this.launch();
    try {
      await this.untilReady();
    } catch (error) {
      await this.kill9();
      throw error;
    }
  }

  /** Starts the process and waits for nothing. */
  launch(): void {
    const entry = join(process.cwd(), 'dist/apps', this.name, 'main.js');
    if (!existsSync(entry)) throw new Error(`${entry} is missing: run npm run build first.`);
    const child = spawn(process.execPath, [entry], {
      env: { PATH: process.env['PATH'], TMPDIR: tmpdir(), LOG_LEVEL: 'info', PORT: String(this.port), ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    // Bounded: a chatty process must not fill the memory of the test.
    const keep = (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-200_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
  }

  /** Resolves with the readiness as soon as it is as expected. */
  async until(expected: (readiness: Readiness) => boolean): Promise<Readiness> {
    return untilReadiness(this.url, expected).catch((error: Error) => {
      throw new Error(`${this.name}: ${error.message}\n${this.#output.slice(-4000)}`);
    });
  }

  /** Resolves as soon as the process has written something of that kind. */
  async untilOutput(expected: RegExp): Promise<void> {
    const deadline = Date.now() + readyLimitMs;
    while (!expected.test(this.#output)) {
      if (Date.now() > deadline) throw new Error(`${this.name} did not write ${String(expected)}:\n${this.#output}`);
      await pause(50);
    }
  }

  /** Resolves with the exit code when the process has ended by itself. */
  async exit(): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  }

  /** Stops the process in its tracks, as a long pause of the machine would. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Resolves when the running process says that it is ready. */
  async untilReady(): Promise<void> {
    const deadline = Date.now() + readyLimitMs;
    const child = this.#child;
    let last = 'no answer';
    while (Date.now() < deadline && child?.exitCode === null && child.signalCode === null) {
      const signal = AbortSignal.timeout(5_000);
      const answer = await fetch(`${this.url}${this.readyPath}`, { signal }).catch((error: unknown) => String(error));
      if (typeof answer !== 'string' && answer.ok) return;
      last = typeof answer === 'string' ? answer : await answer.text().catch(String);
      await pause(50);
    }
    throw new Error(`${this.name} is not ready (${last}):\n${this.#output.slice(-4000)}`);
  }

  /** Ends the process as a power cut would. */
  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Asks the process to stop and waits until it has; answers its exit code. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const left = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill(signal);
    const limit = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
    const code = await left;
    clearTimeout(limit);
    return code;
  }
}
