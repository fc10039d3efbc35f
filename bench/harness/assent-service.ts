import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Histogram } from './statistics.js';

export type ServiceName = 'rules-service' | 'ciba-worker' | 'poller' | 'decision-service';

const root = join(import.meta.dirname, '../..');
const readyLimitMs = 120_000;
const stopLimitMs = 30_000;

/** One built service of Assent, run as an operator runs it. */
export class AssentService {
  #child: ChildProcess | null = null;
  #output = '';

  constructor(
    readonly name: ServiceName,
    readonly port: number,
    private readonly env: Readonly<Record<string, string>>,
    private readonly nodeArgs: readonly string[] = [],
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.name} does not run.`);
    return this.#child.pid;
  }

  /** Resolves when the service says that it is ready. */
  async start(): Promise<this> {
    const entry = join(root, 'dist/apps', this.name, 'main.js');
    if (!existsSync(entry)) throw new Error(`${entry} is missing: run npm run build first.`);
    const child = spawn(process.execPath, [...this.nodeArgs, entry], {
      cwd: root,
      env: {
        PATH: process.env['PATH'],
        TMPDIR: tmpdir(),
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: String(this.port),
        ...this.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const keep = (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-8_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const deadline = Date.now() + readyLimitMs;
    while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
      const answer = await fetch(`${this.url}/health/ready`).catch(() => null);
      if (answer?.ok && ((await answer.json()) as { status: string }).status === 'ready') return this;
      await pause(50);
    }
    await this.stop();
    throw new Error(`${this.name} does not become ready:\n${this.#output}`);
  }

  /** A figure of its own metrics; those of all labels together. */
  async metric(name: string): Promise<number> {
    return (await this.#series(name)).reduce((sum, line) => sum + valueOf(line), 0);
  }

  /** A histogram of its own: how many observations were at most so much, those of all other labels together. */
  async histogram(name: string): Promise<Histogram> {
    const buckets = new Map<number, number>();
    for (const line of await this.#series(`${name}_bucket`)) {
      const bound = /\ble="([^"]+)"/.exec(line)![1]!;
      const upTo = bound === '+Inf' ? Infinity : Number(bound);
      buckets.set(upTo, (buckets.get(upTo) ?? 0) + valueOf(line));
    }
    return buckets;
  }

  async #series(name: string): Promise<string[]> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  }

  /** Stops it in its tracks; its connections stay. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends it as a power cut would; resolves when it is gone. */
  async kill9(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const left = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await left;
  }

  /** Asks it to stop, and waits until it has. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const left = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const limit = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
    await left;
    clearTimeout(limit);
  }
}

const valueOf = (line: string): number => Number(line.slice(line.lastIndexOf(' ') + 1));
