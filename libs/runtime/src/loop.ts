import type { Log } from './log.js';

export interface LoopOptions {
  readonly name: string;
  /** Pause between the end of one tick and the start of the next, stretched by up to a tenth. */
  readonly everyMs: number;
  /** One round of work; the signal aborts when the loop stops. A throw is logged and the next tick tries again. */
  readonly tick: (signal: AbortSignal) => Promise<void>;
  readonly log: Log;
}

/** Background work that repeats: one tick at a time, woken early when asked, stopped without leaving a tick behind. */
export class Loop {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #failing = false;
  #stop = new AbortController();
  #started = false;

  constructor(private readonly options: LoopOptions) {}

  /** Runs the first tick at once. Safe to call twice. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#run();
  }

  /** Runs a tick now, or right after the one that is running. */
  wake(): void {
    if (!this.#started || this.#stop.signal.aborted) return;
    if (this.#running) this.#again = true;
    else this.#run();
  }

  /** Resolves when no tick runs any more. Safe to call twice, or before start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #run(): void {
    clearTimeout(this.#timer);
    this.#again = false;
    this.#running = this.#tick().finally(() => {
      this.#running = undefined;
      if (this.#stop.signal.aborted) return;
      if (this.#again) this.#run();
      else this.#timer = setTimeout(() => this.#run(), this.options.everyMs * (1 + Math.random() / 10));
    });
  }

  async #tick(): Promise<void> {
    const { name, tick, log } = this.options;
    try {
      await tick(this.#stop.signal);
      if (this.#failing) log.info(`${name} works again`);
      this.#failing = false;
    } catch (error) {
      // One line per change, not per tick: an outage of an hour is one outage.
      if (!this.#failing && !this.#stop.signal.aborted) log.warn(`${name} failed; it will be tried again`, { error });
      this.#failing = true;
    }
  }
}
