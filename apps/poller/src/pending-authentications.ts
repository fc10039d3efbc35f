import type { PendingWork } from '#lib/persistence';
import { shardCount } from '#lib/domain';
import type { Rhythm } from './after-poll.js';
import { IndexLists } from './index-lists.js';

/** What all requests of one rule version have in common; kept once. */
export type Terms = Pick<
  PendingWork,
  | 'rule'
  | 'tokenProviderId'
  | 'clientId'
  | 'requestedScope'
  | 'acrValues'
  | 'releaseAccessToken'
  | 'consumeWithinSeconds'
  | 'provesPerRequest'
  | 'deliveryMode'
>;

/**
 * Where a pending request stands:
 * `waiting` for its next moment · `ready`: a poll is due, its turn has not come · `busy`: a poll is in flight or its
 * answer is being made final · `held`: its answer is stored and waits for the provider's keys.
 */
const phases = ['waiting', 'ready', 'busy', 'held'] as const;
export type Phase = (typeof phases)[number];

/** One pending request, as it is just now. */
export interface PendingAuthentication extends Rhythm {
  readonly terms: Terms;
  readonly requestId: string;
  readonly shard: number;
  readonly authReqId: string;
  /** Database time when the start call was sent. */
  readonly sentAt: Date;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  readonly takenOver: boolean;
  readonly resolving: boolean;
  readonly polls: number;
  /** The provider has told that an answer is there. */
  readonly pinged: boolean;
}

export type NewPendingAuthentication = Pick<
  PendingAuthentication,
  'requestId' | 'shard' | 'authReqId' | 'sentAt' | 'deadlineMs' | 'intervalMs' | 'takenOver' | 'pinged'
>;

const flags = {
  doubt: 1,
  takenOver: 2,
  resolving: 4,
  dropped: 8,
  pinged: 16,
  hurried: 32,
  hurrying: 64,
  lost: 128,
  barred: 256,
} as const;
type Flag = keyof typeof flags;

interface SharedTerms {
  readonly terms: Terms;
  requests: number;
}

/**
 * The pending requests of the shards that this instance owns.
 *
 * Columns of typed arrays beside two strings each: well under 1 kB for a request, with ten thousands of them to hold
 * and nothing for the garbage collector to walk through. Requests are known by their slot, a small integer that the
 * timing wheel and the queues use as well; it is given away again after `remove`.
 */
export class PendingAuthentications {
  readonly #slots = new Map<string, number>();
  readonly #byShard = new IndexLists(shardCount);
  readonly #terms = new Map<string, SharedTerms>();
  readonly #free: number[] = [];
  readonly #watches = new Set<Set<string>>();
  readonly #requestId: (string | null)[] = [];
  readonly #authReqId: (string | null)[] = [];
  readonly #sharedTerms: (SharedTerms | null)[] = [];
  #sentAt = new Float64Array(64);
  #deadlineMs = new Float64Array(64);
  #intervalMs = new Float64Array(64);
  #polls = new Uint32Array(64);
  #failures = new Uint8Array(64);
  #phase = new Uint8Array(64);
  #flags = new Uint16Array(64);
  #shard = new Uint8Array(64);

  get size(): number {
    return this.#slots.size;
  }

  /** The slot of a request. */
  find(requestId: string): number | null {
    return this.#slots.get(requestId) ?? null;
  }

  /** The slots of a shard's requests; the table must not change meanwhile. */
  inShard(shard: number): Iterable<number> {
    return this.#byShard.entries(shard);
  }

  /** The ids of a shard's requests. */
  idsIn(shard: number): string[] {
    return [...this.inShard(shard)].map((slot) => this.requestId(slot));
  }

  /** Whether a request is here whose answer is going to be pushed, and is not being judged. */
  awaitsPush(requestId: string): boolean {
    const slot = this.find(requestId);
    return slot !== null && this.terms(slot).deliveryMode === 'push' && this.phase(slot) === 'waiting';
  }

  /** Takes a request in; it must not be there yet. Answers its slot. */
  add(request: NewPendingAuthentication, terms: Terms): number {
    const slot = this.#free.pop() ?? this.#requestId.length;
    this.#makeRoom(slot);
    this.#requestId[slot] = request.requestId;
    this.#authReqId[slot] = request.authReqId;
    this.#sharedTerms[slot] = this.#share(terms);
    this.#sentAt[slot] = request.sentAt.getTime();
    this.#deadlineMs[slot] = request.deadlineMs;
    this.#intervalMs[slot] = request.intervalMs;
    this.#polls[slot] = 0;
    this.#failures[slot] = 0;
    this.#phase[slot] = 0;
    this.#flags[slot] = (request.takenOver ? flags.takenOver : 0) | (request.pinged ? flags.pinged : 0);
    this.#shard[slot] = request.shard;
    this.#slots.set(request.requestId, slot);
    this.#byShard.append(request.shard, slot);
    return slot;
  }

  remove(slot: number): void {
    this.noteGone(this.requestId(slot));
    this.#slots.delete(this.requestId(slot));
    this.#byShard.remove(slot);
    this.#unshare(this.#sharedTerms[slot]!);
    this.#requestId[slot] = this.#authReqId[slot] = this.#sharedTerms[slot] = null;
    this.#free.push(slot);
  }

  /** A request that is not here is not pending any more: whoever watches takes it for removed. */
  noteGone(requestId: string): void {
    for (const removed of this.#watches) removed.add(requestId);
  }

  /** Runs an action; answers what it answers, and the ids that were removed, or noted as gone, meanwhile. */
  async watching<Result>(action: () => Promise<Result>): Promise<{ result: Result; removed: ReadonlySet<string> }> {
    const removed = new Set<string>();
    this.#watches.add(removed);
    try {
      return { result: await action(), removed };
    } finally {
      this.#watches.delete(removed);
    }
  }

  read(slot: number): PendingAuthentication {
    return {
      terms: this.terms(slot),
      requestId: this.requestId(slot),
      shard: this.#shard[slot]!,
      authReqId: this.#authReqId[slot]!,
      sentAt: this.sentAt(slot),
      deadlineMs: this.#deadlineMs[slot]!,
      intervalMs: this.#intervalMs[slot]!,
      polls: this.#polls[slot]!,
      failures: this.#failures[slot]!,
      doubt: this.#has(slot, 'doubt'),
      lost: this.#has(slot, 'lost'),
      barred: this.#has(slot, 'barred'),
      takenOver: this.#has(slot, 'takenOver'),
      resolving: this.#has(slot, 'resolving'),
      pinged: this.isPinged(slot),
    };
  }

  requestId(slot: number): string {
    return this.#requestId[slot]!;
  }

  terms(slot: number): Terms {
    return this.#sharedTerms[slot]!.terms;
  }

  shard(slot: number): number {
    return this.#shard[slot]!;
  }

  /** Database time when the start call was sent. */
  sentAt(slot: number): Date {
    return new Date(this.#sentAt[slot]!);
  }

  deadlineMs(slot: number): number {
    return this.#deadlineMs[slot]!;
  }

  intervalMs(slot: number): number {
    return this.#intervalMs[slot]!;
  }

  phase(slot: number): Phase {
    return phases[this.#phase[slot]!]!;
  }

  enter(slot: number, phase: Phase): void {
    this.#phase[slot] = phases.indexOf(phase);
  }

  /** Remembers what the last answer changed. */
  keep(slot: number, rhythm: Rhythm): void {
    this.#intervalMs[slot] = rhythm.intervalMs;
    this.#failures[slot] = Math.min(rhythm.failures, 255);
    this.#set(slot, 'doubt', rhythm.doubt);
    this.#set(slot, 'lost', rhythm.lost);
    this.#set(slot, 'barred', rhythm.barred);
  }

  countPoll(slot: number): void {
    this.#polls[slot]!++;
  }

  /** A poll that was counted was not made after all. */
  uncountPoll(slot: number): void {
    this.#polls[slot]!--;
  }

  /** The deadline has passed and one poll may still be made. */
  startResolving(slot: number): void {
    this.#set(slot, 'resolving', true);
  }

  isResolving(slot: number): boolean {
    return this.#has(slot, 'resolving');
  }

  /** An answer may have been lost, as far as we know. */
  inDoubt(slot: number): boolean {
    return this.#has(slot, 'doubt') || this.#has(slot, 'lost');
  }

  /** A ping came, or one came before the request was ours; from here on it is polled on its interval. */
  isPinged(slot: number): boolean {
    return this.#has(slot, 'pinged');
  }

  /** A ping has come. True the first time: then one poll is due at once. */
  hurry(slot: number): boolean {
    if (this.#has(slot, 'hurried')) return false;
    this.#set(slot, 'pinged', true);
    this.#set(slot, 'hurried', true);
    return true;
  }

  /** A poll goes out that knows of the ping, if one was told: a hint of it that comes later makes nothing due. */
  answerPing(slot: number): void {
    if (this.#has(slot, 'pinged')) this.#set(slot, 'hurried', true);
  }

  /** Remembers that a ping came while a poll was in flight, which may have been answered before there was an answer. */
  hurryAfterwards(slot: number): void {
    this.#set(slot, 'hurrying', true);
  }

  /** Whether a ping came meanwhile; says so once. */
  takeHurry(slot: number): boolean {
    const hurrying = this.#has(slot, 'hurrying');
    this.#set(slot, 'hurrying', false);
    return hurrying;
  }

  /** The request is not ours to poll any more; whoever is busy with it removes it afterwards. */
  markDropped(slot: number): void {
    this.#set(slot, 'dropped', true);
  }

  isDropped(slot: number): boolean {
    return this.#has(slot, 'dropped');
  }

  #has(slot: number, flag: Flag): boolean {
    return (this.#flags[slot]! & flags[flag]) !== 0;
  }

  #set(slot: number, flag: Flag, on: boolean): void {
    if (on) this.#flags[slot]! |= flags[flag];
    else this.#flags[slot]! &= ~flags[flag];
  }

  #share(terms: Terms): SharedTerms {
    const key = keyOf(terms);
    const shared = this.#terms.get(key) ?? { terms: termsOf(terms), requests: 0 };
    shared.requests++;
    this.#terms.set(key, shared);
    return shared;
  }

  #unshare(shared: SharedTerms): void {
    shared.requests--;
    if (shared.requests === 0) this.#terms.delete(keyOf(shared.terms));
  }

  #makeRoom(slot: number): void {
    if (slot < this.#sentAt.length) return;
    const capacity = this.#sentAt.length * 2;
    this.#sentAt = grown(this.#sentAt, new Float64Array(capacity));
    this.#deadlineMs = grown(this.#deadlineMs, new Float64Array(capacity));
    this.#intervalMs = grown(this.#intervalMs, new Float64Array(capacity));
    this.#polls = grown(this.#polls, new Uint32Array(capacity));
    this.#failures = grown(this.#failures, new Uint8Array(capacity));
    this.#phase = grown(this.#phase, new Uint8Array(capacity));
    this.#flags = grown(this.#flags, new Uint16Array(capacity));
    this.#shard = grown(this.#shard, new Uint8Array(capacity));
  }
}

const keyOf = ({ rule }: Terms): string => `${rule.id} ${rule.version}`;

const termsOf = (t: Terms): Terms => ({
  rule: t.rule,
  tokenProviderId: t.tokenProviderId,
  clientId: t.clientId,
  requestedScope: t.requestedScope,
  acrValues: t.acrValues,
  releaseAccessToken: t.releaseAccessToken,
  consumeWithinSeconds: t.consumeWithinSeconds,
  provesPerRequest: t.provesPerRequest,
  deliveryMode: t.deliveryMode,
});

function grown<Column extends Float64Array | Uint32Array | Uint16Array | Uint8Array>(
  column: Column,
  larger: Column,
): Column {
  larger.set(column);
  return larger;
}
