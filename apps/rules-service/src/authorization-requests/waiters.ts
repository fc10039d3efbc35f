import type { Attention } from '#lib/messaging';
import type { RequestState } from '#lib/persistence';
import { Loop, ProblemError, type Log } from '#lib/runtime';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

/** What is heard about a request; the row is the truth, so whoever waited reads it. */
export interface Hint {
  /** Null when the version is not known. */
  readonly stateVersion: number | null;
  readonly decided: boolean;
}

/** One call that waits for something about one request. */
export interface Watch {
  /**
   * Resolves true when something worth reading was heard since the call before, false when the time passed, the caller
   * went away, or this instance stops.
   */
  heard(atMostMs: number, signal: AbortSignal): Promise<boolean>;
  /** True when nothing will be heard any more: this instance stops. */
  readonly ended: boolean;
  /** Must be called when the wait is over. */
  close(): void;
}

export interface WaitersOptions {
  readonly states: (ids: readonly string[]) => Promise<readonly RequestState[]>;
  /** Joins the bus, whose events are to come while calls wait; the argument is told when they begin to. */
  readonly attend: (hearing: () => void) => Attention;
  readonly log: Log;
  /** Calls that wait at the same time at most. */
  readonly limit?: number;
  /** Pause between two looks at the database. */
  readonly everyMs?: number;
  /** For how long events still come when no call waits any more: the next one comes soon, mostly. */
  readonly lingerMs?: number;
}

/** Requests that one look asks about. */
const batchSize = 1000;

/**
 * The calls of this instance that wait. Events wake them, and come only while there are some; one slow look at the
 * database, for all of them together, finds what no event told.
 */
@Injectable()
export class Waiters implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly byRequest = new Map<string, Set<OpenWatch>>();
  private readonly loop: Loop;
  private readonly limit: number;
  private readonly attention: Attention;
  private readonly lingerMs: number;
  private lingering: NodeJS.Timeout | undefined;
  private open = 0;
  private stopped = false;

  constructor({ states, attend, log, limit = 10_000, everyMs = 1000, lingerMs = 30_000 }: WaitersOptions) {
    this.limit = limit;
    this.lingerMs = lingerMs;
    this.loop = new Loop({ name: 'The look at awaited requests', everyMs, log, tick: () => this.look(states) });
    // What happened between the beginning of a wait and this moment no event tells: the rows do.
    this.attention = attend(() => this.loop.wake());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  // Before the HTTP server closes: it waits for its calls, and they wait for us.
  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    for (const watch of this.all()) watch.end();
    clearTimeout(this.lingering);
    this.attention.end();
    await this.loop.stop();
  }

  /** True when no more calls may wait here. */
  get full(): boolean {
    return this.open >= this.limit;
  }

  /** True when a call waits for this request. */
  waitsFor(requestId: string): boolean {
    return this.byRequest.has(requestId);
  }

  /**
   * Begins to listen; open it before reading the row, so that nothing in between is missed. It does not wait for the
   * broker: when events begin to come only later, a look at the database tells what happened until then.
   *
   * @throws ProblemError `busy`
   */
  watch(requestId: string, isWorthReading: (hint: Hint) => boolean): Watch {
    if (this.full) {
      throw new ProblemError('busy', 'Too many calls wait here. Ask again in a moment, or without waiting.', {
        headers: { 'retry-after': '2' },
      });
    }
    const watch = new OpenWatch(isWorthReading, () => this.forget(requestId, watch));
    if (this.stopped) watch.end();
    const watches = this.byRequest.get(requestId) ?? new Set();
    this.byRequest.set(requestId, watches.add(watch));
    if (this.open++ === 0) this.attend();
    return watch;
  }

  /** Tells whoever waits for this request. */
  tell(requestId: string, hint: Hint): void {
    for (const watch of this.byRequest.get(requestId) ?? []) watch.tell(hint);
  }

  private forget(requestId: string, watch: OpenWatch): void {
    const watches = this.byRequest.get(requestId);
    if (!watches?.delete(watch)) return;
    if (watches.size === 0) this.byRequest.delete(requestId);
    if (--this.open === 0) this.linger();
  }

  private attend(): void {
    clearTimeout(this.lingering);
    if (!this.stopped) this.attention.begin();
  }

  private linger(): void {
    if (!this.stopped) this.lingering = setTimeout(() => this.attention.end(), this.lingerMs).unref();
  }

  private async look(states: WaitersOptions['states']): Promise<void> {
    const ids = [...this.byRequest.keys()];
    for (let start = 0; start < ids.length; start += batchSize) {
      for (const state of await states(ids.slice(start, start + batchSize))) this.tell(state.id, state);
    }
  }

  private *all(): Iterable<OpenWatch> {
    for (const watches of this.byRequest.values()) yield* watches;
  }
}

class OpenWatch implements Watch {
  private told = false;
  ended = false;
  private wake: (() => void) | null = null;

  constructor(
    private readonly isWorthReading: (hint: Hint) => boolean,
    readonly close: () => void,
  ) {}

  tell(hint: Hint): void {
    if (!this.isWorthReading(hint)) return;
    this.told = true;
    this.wake?.();
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  async heard(atMostMs: number, signal: AbortSignal): Promise<boolean> {
    if (!this.told && !this.ended && !signal.aborted && atMostMs > 0) await this.pause(atMostMs, signal);
    const told = this.told;
    this.told = false;
    return told && !signal.aborted;
  }

  private async pause(atMostMs: number, signal: AbortSignal): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let wake: () => void = () => undefined;
    await new Promise<void>((resolve) => {
      wake = () => resolve();
      this.wake = wake;
      timer = setTimeout(wake, atMostMs);
      signal.addEventListener('abort', wake, { once: true });
    });
    clearTimeout(timer);
    signal.removeEventListener('abort', wake);
    this.wake = null;
  }
}
