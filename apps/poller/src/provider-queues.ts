import { CircuitBreaker } from './circuit-breaker.js';
import { IndexLists } from './index-lists.js';
import { TokenBucket } from './token-bucket.js';

export interface ProviderLimits {
  /** Polls in flight, all providers together. */
  readonly maxInFlight: number;
  readonly maxInFlightPerProvider: number;
  readonly pollsPerSecondPerProvider: number;
}

/** What a poll told about the provider's health. */
export type PollHealth =
  | { readonly kind: 'answered' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'throttled'; readonly forMs: number }
  /** The provider was not asked after all. */
  | { readonly kind: 'unasked' };

/** A poll whose turn it is. */
export interface Turn {
  readonly index: number;
  /** How long after its moment it goes out, in ms. */
  readonly latenessMs: number;
}

interface Provider {
  readonly id: string;
  /** Its list among the ready ones. */
  readonly list: number;
  readonly bucket: TokenBucket;
  readonly breaker: CircuitBreaker;
  inFlight: number;
  /** Requests that are pending there, whether or not a poll is due. */
  pending: number;
}

/**
 * Polls that are due, one queue for each provider, served in turn.
 *
 * Every poll costs the same, so one from each provider in turn is what deficit round robin comes to. A provider that
 * is slow, throttled or down holds up its own polls and nobody else's. It has no clock; entries are slots of the table.
 */
export class ProviderQueues {
  readonly #limits: ProviderLimits;
  readonly #providers = new Map<string, Provider>();
  readonly #ready = new IndexLists(0);
  /** Providers with polls that are due, in the order of their turns. */
  readonly #turns: Provider[] = [];
  #dueMs = new Float64Array(64);
  #inFlight = 0;

  constructor(limits: ProviderLimits) {
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** A request is pending at this provider from now on. */
  join(providerId: string): void {
    this.#provider(providerId).pending++;
  }

  /** A request is not pending at this provider any more. */
  leave(providerId: string): void {
    this.#provider(providerId).pending--;
  }

  /** A poll is due since that moment. */
  enqueue(providerId: string, index: number, dueMs: number): void {
    const provider = this.#provider(providerId);
    if (this.#ready.isEmpty(provider.list)) this.#turns.push(provider);
    this.#ready.append(provider.list, index);
    this.#rememberDue(index, dueMs);
  }

  /** The poll is not wanted any more; does nothing when it is not queued. */
  remove(index: number): void {
    const list = this.#ready.listOf(index);
    if (list === null) return;
    this.#ready.remove(index);
    if (!this.#ready.isEmpty(list)) return;
    const turn = this.#turns.findIndex((provider) => provider.list === list);
    if (turn !== -1) this.#turns.splice(turn, 1);
  }

  /** The next poll that may go out now; it counts as in flight until `finished`. Null: none may. */
  next(nowMs: number): Turn | null {
    if (this.#inFlight >= this.#limits.maxInFlight) return null;
    for (let tried = this.#turns.length; tried > 0; tried--) {
      const provider = this.#turns.shift()!;
      const index = this.#maySendFromMs(provider, nowMs) <= nowMs ? this.#take(provider, nowMs) : null;
      if (!this.#ready.isEmpty(provider.list)) this.#turns.push(provider);
      if (index !== null) return { index, latenessMs: Math.max(0, nowMs - this.#dueMs[index]!) };
    }
    return null;
  }

  /** A poll that `next` handed out has ended. */
  finished(providerId: string, health: PollHealth, nowMs: number): void {
    const provider = this.#provider(providerId);
    if (health.kind === 'unasked') return this.returned(providerId);
    provider.inFlight--;
    this.#inFlight--;
    switch (health.kind) {
      case 'answered':
        return provider.breaker.answered();
      case 'failed':
        return provider.breaker.failed(nowMs);
      case 'throttled':
        return provider.breaker.throttled(health.forMs, nowMs);
    }
  }

  /** A poll that `next` handed out was not sent after all: another one may go out in its place. */
  returned(providerId: string): void {
    const provider = this.#provider(providerId);
    provider.inFlight--;
    this.#inFlight--;
    provider.bucket.giveBack();
    provider.breaker.unsent();
  }

  /** When it is worth calling `next` again although nothing finishes until then; null: no time helps. */
  nextMs(nowMs: number): number | null {
    if (this.#inFlight >= this.#limits.maxInFlight) return null;
    let earliest = Infinity;
    for (const provider of this.#turns) earliest = Math.min(earliest, this.#maySendFromMs(provider, nowMs));
    return Number.isFinite(earliest) ? earliest : null;
  }

  /**
   * How long to wait between two polls of one request at this provider: its interval, or longer when the provider's
   * rate does not suffice for all. Everybody there waits longer alike.
   */
  spacingMs(providerId: string, intervalMs: number): number {
    const { pending } = this.#provider(providerId);
    return Math.max(intervalMs, (pending / this.#limits.pollsPerSecondPerProvider) * 1000);
  }

  /** Providers that count as down. */
  down(): string[] {
    return [...this.#providers.values()].filter(({ breaker }) => breaker.isOpen).map(({ id }) => id);
  }

  #maySendFromMs(provider: Provider, nowMs: number): number {
    if (provider.inFlight >= this.#limits.maxInFlightPerProvider) return Infinity;
    return Math.max(provider.breaker.allowedFromMs, provider.bucket.availableFromMs(nowMs));
  }

  #take(provider: Provider, nowMs: number): number {
    const index = this.#ready.first(provider.list)!;
    this.#ready.remove(index);
    provider.bucket.take();
    provider.breaker.sent(nowMs);
    provider.inFlight++;
    this.#inFlight++;
    return index;
  }

  #provider(id: string): Provider {
    const known = this.#providers.get(id);
    if (known !== undefined) return known;
    const provider: Provider = {
      id,
      list: this.#ready.addList(),
      bucket: new TokenBucket(this.#limits.pollsPerSecondPerProvider),
      breaker: new CircuitBreaker(),
      inFlight: 0,
      pending: 0,
    };
    this.#providers.set(id, provider);
    return provider;
  }

  #rememberDue(index: number, dueMs: number): void {
    if (index >= this.#dueMs.length) {
      const larger = new Float64Array(Math.max(index + 1, this.#dueMs.length * 2));
      larger.set(this.#dueMs);
      this.#dueMs = larger;
    }
    this.#dueMs[index] = dueMs;
  }
}
