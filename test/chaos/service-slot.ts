import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const readyLimitMs = 180_000;
const stopLimitMs = 25_000;

/** One place in which a service runs, generation after generation, each with a log of its own. */
export class ServiceSlot {
  generation = 0;
  /** Generations that ended although nobody had ended them; a sentence each. */
  readonly deaths: string[] = [];
  readonly #wanted = new WeakSet<ChildProcess>();
  #child: ChildProcess | null = null;

  constructor(
    /** Such as `poller-1`. */
    readonly name: string,
    readonly service: string,
    readonly port: number,
    private readonly logs: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  get running(): boolean {
    const child = this.#child;
    return child !== null && child.exitCode === null && child.signalCode === null;
  }

  /** The end of what the running generation has written. */
  get lastWords(): string {
    return readFileSync(this.#log, 'utf8').slice(-2_000);
  }

  get #log(): string {
    return join(this.logs, `${this.name}-${this.generation}.log`);
  }

  /** Starts the next generation. */
  start(): void {
    const entry = join(process.cwd(), 'dist/apps', this.service, 'main.js');
    if (!existsSync(entry)) throw new Error(`${entry} is missing: run npm run build first.`);
    this.generation++;
    const log = openSync(this.#log, 'a');
    this.#child = spawn(process.execPath, [entry], {
      env: { PATH: process.env['PATH'], TMPDIR: tmpdir(), PORT: String(this.port), ...this.env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const [child, generation] = [this.#child, this.generation];
    child.once('exit', (code, signal) => {
      if (this.#wanted.has(child)) return;
      this.deaths.push(`${this.name}, generation ${generation}, ended by itself: ${String(code ?? signal)}`);
    });
    // The world outside (proxies, provider, sinks, callers) is this process: where it is slow, nobody planned a fault.
    if (this.#child.pid !== undefined) setPriority(this.#child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  }

  /** Resolves when the running generation can serve; says so also when it is killed meanwhile. */
  async untilReady(): Promise<boolean> {
    const deadline = Date.now() + readyLimitMs;
    while (Date.now() < deadline && this.running) {
      const answer = await fetch(`http://127.0.0.1:${this.port}/health/ready`, {
        signal: AbortSignal.timeout(2_000),
      }).catch(() => null);
      if (answer?.ok) return true;
      await pause(100);
    }
    return false;
  }

  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops its clock: it answers nothing and knows nothing of it. */
  freeze(): void {
    if (this.running) this.#child!.kill('SIGSTOP');
  }

  thaw(): void {
    if (this.running) this.#child!.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.#end('SIGTERM');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (!child || !this.running) return;
    const left = new Promise((resolve) => child.once('exit', resolve));
    this.#wanted.add(child);
    child.kill(signal);
    const limit = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
    await left;
    clearTimeout(limit);
  }
}
