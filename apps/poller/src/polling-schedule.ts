import { fallbackSpacingMs, firstPollMs, type Command } from '#lib/domain';
import type { PendingWork, RequestStore } from '#lib/persistence';
import { GivenUp, type Log } from '#lib/runtime';
import { atDeadline, resolutionWindowMs, type Rhythm, type Step } from './after-poll.js';
import { Alarm } from './alarm.js';
import type { AnswersInHand, Judged } from './answers-in-hand.js';
import type { ConcludeAuthentication } from './conclude-authentication.js';
import type { DatabaseClock } from './database-clock.js';
import type { PendingAuthentications } from './pending-authentications.js';
import type { PollAuthentication } from './poll-authentication.js';
import type { PollerMetrics } from './poller-metrics.js';
import { admissionOf, pollsEndMs, resolutionPollMs, turnOf, type DueRequest } from './polling-turn.js';
import type { ProviderQueues, Turn } from './provider-queues.js';
import type { ShardLeases } from './shard-leases.js';
import { TimingWheel } from './timing-wheel.js';
import { verifyAgainMs } from './verify-answer.js';

export interface PollingScheduleParts {
  readonly pending: PendingAuthentications;
  readonly queues: ProviderQueues;
  readonly leases: ShardLeases;
  readonly clock: DatabaseClock;
  readonly poll: PollAuthentication;
  readonly answers: AnswersInHand;
  readonly conclude: Pick<ConcludeAuthentication, 'run'>;
  readonly requests: Pick<RequestStore, 'raiseInterval'>;
  readonly metrics: PollerMetrics;
  readonly log: Log;
  /** The monotonic clock. */
  readonly nowMs: () => number;
}

/** Longest share by which a wait is stretched, so that requests that began together drift apart. */
const jitter = 0.02;
/** How soon a request is looked at again while we have no right to ask, or our clock runs ahead of the database's. */
const lookAgainMs = 250;

/**
 * When whose turn it is: the one place where pending requests move.
 *
 * A request is in one phase at a time: `waiting` (the wheel holds its next moment) → `ready` (its provider's queue
 * holds it, the wheel its deadline) → `busy` (one poll in flight, or its answer being made final) → `waiting` again, or
 * gone. Only `busy` talks to the provider, and only one `busy` at a time per request: so no two polls overlap, and none
 * follows a terminal answer.
 *
 * A crash loses this table and nothing else: the rows say what is pending, and the shard's next owner, knowing that it
 * was not released, treats a lost answer as unknown. Nothing is written for a poll; a `slow_down` keeps its interval.
 */
export class PollingSchedule {
  readonly #wheel: TimingWheel;
  readonly #alarm: Alarm;
  /** What is under way for the requests that are `busy`. */
  readonly #busy = new Map<number, Promise<void>>();
  readonly #resolvingUntilMs = new Map<number, number>();
  /** Requests whose deadline comes before they may be polled again: an owner before us may have polled just now. */
  readonly #notBeforeMs = new Map<number, number>();
  #pumping = false;
  #stopped = false;

  constructor(private readonly parts: PollingScheduleParts) {
    this.#wheel = new TimingWheel({ startMs: parts.nowMs() });
    this.#alarm = new Alarm(() => this.#turn(), parts.nowMs);
  }

  /**
   * Takes a pending request in, unless it is there; its first poll comes one interval and `spreadMs` from now. One that
   * is there gets the answer that was pushed meanwhile.
   */
  admit(work: PendingWork, spreadMs = 0): void {
    const { pending, queues, leases, clock } = this.parts;
    // What is taken in while its shard is given away would outlive that, and nobody would tell it of a take-over.
    if (this.#stopped || !leases.keeps(work.shard)) return;
    const known = pending.find(work.requestId);
    if (known !== null) return this.#receivePush(known, work);
    const deadlineMs = clock.toMonotonicMs(work.expiresAt);
    const intervalMs = work.intervalSeconds * 1000;
    const { deliveryMode, heldAnswer } = work;
    const held = heldAnswer !== null;
    const { takenOver, first } = admissionOf({ deliveryMode, held }, leases.isTakenOver(work.shard, work.sentAt));
    const pinged = work.pingedAt !== null;
    const slot = pending.add({ ...work, deadlineMs, intervalMs, takenOver, pinged }, work);
    queues.join(work.tokenProviderId);
    switch (first) {
      case 'judge-held':
        return this.#judgeStored(slot, work);
      case 'await-push':
        return this.#await(slot, deadlineMs);
      case 'poll':
        return this.#awaitFirstPoll(slot, spreadMs);
    }
  }

  /** Nobody can have polled before an interval has passed since the acknowledgement. */
  #awaitFirstPoll(slot: number, spreadMs: number): void {
    const { pending, clock, nowMs } = this.parts;
    const [atMs, intervalMs, deadlineMs] = [nowMs(), pending.intervalMs(slot), pending.deadlineMs(slot)];
    const polledBefore = atMs - clock.toMonotonicMs(pending.sentAt(slot)) >= intervalMs;
    const notBeforeMs = polledBefore ? atMs + intervalMs : atMs;
    if (notBeforeMs > deadlineMs) this.#notBeforeMs.set(slot, notBeforeMs);
    const firstMs = firstPollMs(atMs + spreadMs, this.#spacingMs(slot), deadlineMs, notBeforeMs);
    this.#await(slot, notBeforeMs > deadlineMs ? deadlineMs : firstMs);
  }

  /**
   * The provider says that an answer is there: one poll goes out at once, and the later ones keep the interval. A
   * repeated ping changes nothing. Answers whether the request is here and has all that it needs.
   */
  pinged(requestId: string): boolean {
    const { pending } = this.parts;
    const slot = pending.find(requestId);
    if (slot === null || pending.terms(slot).deliveryMode === 'push') return false;
    if (this.#stopped || !pending.hurry(slot)) return true;
    if (pending.phase(slot) === 'busy') pending.hurryAfterwards(slot);
    else if (pending.phase(slot) === 'waiting') this.#dueAtOnce(slot);
    return true;
  }

  /**
   * Forgets a request: it is not pending any more, or not ours. A poll in flight still has its answer recorded, and what is
   * being read just now does not bring the request back.
   */
  drop(requestId: string): void {
    const { pending } = this.parts;
    const slot = pending.find(requestId);
    if (slot === null) pending.noteGone(requestId);
    else this.#drop(slot);
  }

  /** Forgets all requests of a shard. */
  dropShard(shard: number): void {
    for (const slot of [...this.parts.pending.inShard(shard)]) this.#drop(slot);
  }

  /** Resolves when nothing that is busy now in these shards is busy any more, however long that takes. */
  async settled(shards: ReadonlySet<number>): Promise<void> {
    const ofShards = [...this.#busy].filter(([slot]) => shards.has(this.parts.pending.shard(slot)));
    await Promise.all(ofShards.map(([, done]) => done));
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#stopped = true;
    this.#alarm.stop();
  }

  /** One round: what is due becomes ready, what may go out goes out, and the alarm is set for the next round. */
  #turn(): void {
    if (this.#stopped) return;
    const nowMs = this.parts.nowMs();
    this.#wheel.advance(nowMs, (slot, dueMs) => this.#due(slot, dueMs, nowMs));
    this.#pump(nowMs);
  }

  #pump(nowMs: number): void {
    if (this.#stopped) return;
    const { queues } = this.parts;
    for (let turn = queues.next(nowMs); turn !== null; turn = queues.next(nowMs)) this.#send(turn);
    this.#setAlarm(this.#wheel.nextMs());
    this.#setAlarm(queues.nextMs(nowMs));
  }

  /**
   * Once for all polls that end in one turn of the event loop: what goes out together wakes the provider once, and
   * waking somebody is the dearest part of a poll.
   */
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump(this.parts.nowMs());
    });
  }

  #setAlarm(atMs: number | null): void {
    if (atMs !== null && !this.#stopped) this.#alarm.setFor(atMs);
  }

  /** Now, and not at the wheel's next tick: a person has answered. */
  #dueAtOnce(slot: number): void {
    const nowMs = this.parts.nowMs();
    this.#due(slot, nowMs, nowMs);
    this.#pumpSoon();
  }

  /** A request's moment has come. */
  #due(slot: number, dueMs: number, nowMs: number): void {
    const { pending, leases } = this.parts;
    switch (turnOf(this.#dueRequest(slot), leases.maySend(pending.shard(slot)), nowMs)) {
      case 'look-again':
        return this.#wheel.arm(slot, nowMs + lookAgainMs);
      case 'verify-held':
        return this.#verifyAgain(slot);
      case 'look-for-push':
        return this.#occupy(slot, () => this.#lookForPush(slot));
      case 'decide':
        return this.#decide(slot, nowMs);
      case 'keep-ready':
        return this.#wheel.arm(slot, pollsEndMs(this.#dueRequest(slot)));
      case 'make-ready':
        return this.#makeReady(slot, dueMs);
    }
  }

  #dueRequest(slot: number): DueRequest {
    const { pending } = this.parts;
    return {
      phase: pending.phase(slot),
      deliveryMode: pending.terms(slot).deliveryMode,
      deadlineMs: pending.deadlineMs(slot),
      resolving: pending.isResolving(slot),
      resolvingUntilMs: this.#resolvingUntilMs.get(slot),
    };
  }

  #makeReady(slot: number, dueMs: number): void {
    const { pending, queues } = this.parts;
    pending.enter(slot, 'ready');
    queues.enqueue(pending.terms(slot).tokenProviderId, slot, dueMs);
    // The deadline comes although the provider's queue may not move.
    this.#wheel.arm(slot, pollsEndMs(this.#dueRequest(slot)));
  }

  /** The deadline decides. */
  #decide(slot: number, nowMs: number): void {
    const { pending, queues, leases, clock } = this.parts;
    queues.remove(slot);
    const request = pending.read(slot);
    const step = atDeadline({ ...request, fence: leases.fence(request.shard)! });
    if (step.kind !== 'resolve') return this.#occupy(slot, () => this.#follow(slot, step));
    pending.startResolving(slot);
    const earliestMs = Math.max(nowMs, this.#notBeforeMs.get(slot) ?? nowMs);
    const pollMs = resolutionPollMs(request.deadlineMs, earliestMs, clock.aheadMs);
    this.#resolvingUntilMs.set(slot, pollMs + resolutionWindowMs);
    this.#await(slot, pollMs);
  }

  /** The moment of what is never polled for: its deadline. An answer may have been pushed in time, its hint lost. */
  async #lookForPush(slot: number): Promise<void> {
    const { pending, leases, answers, nowMs } = this.parts;
    const request = pending.read(slot);
    const judged = await answers.judgePushed(request);
    if (judged !== null) return this.#moveOn(slot, judged);
    const fence = leases.fence(request.shard);
    if (nowMs() < request.deadlineMs) return this.#await(slot, request.deadlineMs);
    if (fence === null) return this.#await(slot, nowMs() + lookAgainMs);
    return this.#conclude(slot, { type: 'expire', fence, polls: request.polls });
  }

  #receivePush(slot: number, work: PendingWork): void {
    const { pending } = this.parts;
    if (!work.heldAnswer || work.deliveryMode !== 'push' || pending.phase(slot) !== 'waiting') return;
    this.#judgeStored(slot, work);
  }

  #judgeStored(slot: number, work: PendingWork): void {
    const { pending, answers } = this.parts;
    this.#occupy(slot, () => this.#moveOnAfter(slot, answers.judgeStored(pending.read(slot), work)));
  }

  #verifyAgain(slot: number): void {
    const { pending, answers } = this.parts;
    this.#occupy(slot, () => this.#moveOnAfter(slot, answers.judgeAgain(pending.read(slot))));
  }

  #send({ index: slot, latenessMs }: Turn): void {
    const { pending, queues, leases, metrics } = this.parts;
    const { tokenProviderId } = pending.terms(slot);
    const fence = leases.maySend(pending.shard(slot)) ? leases.fence(pending.shard(slot)) : null;
    if (fence === null) {
      queues.returned(tokenProviderId);
      return this.#await(slot, this.parts.nowMs() + lookAgainMs);
    }
    metrics.sent(tokenProviderId, latenessMs);
    pending.countPoll(slot);
    pending.answerPing(slot);
    this.#occupy(slot, async () => {
      const { outcome, health, step } = await this.parts.poll.run(pending.read(slot), {
        fence,
        spacingMs: () => this.#spacingMs(slot),
      });
      metrics.ended(outcome);
      if (outcome === 'client-refused') pending.uncountPoll(slot);
      queues.finished(tokenProviderId, health, this.parts.nowMs());
      const again = pending.takeHurry(slot) && outcome === 'pending' && step.kind === 'wait';
      const stays = again && !pending.isDropped(slot);
      await this.#follow(slot, step);
      if (stays) this.#dueAtOnce(slot);
    });
  }

  #follow(slot: number, step: Step): Promise<void> | void {
    const { pending, answers } = this.parts;
    switch (step.kind) {
      case 'wait':
        return this.#goOn(slot, step.rhythm, step.atMs);
      case 'verify':
        return this.#moveOnAfter(slot, answers.judge(pending.read(slot), step.answer));
      case 'conclude':
        return this.#conclude(slot, step.command);
    }
  }

  #goOn(slot: number, rhythm: Rhythm, atMs: number): void {
    if (rhythm.intervalMs > this.parts.pending.intervalMs(slot)) this.#keepInterval(slot, rhythm.intervalMs);
    this.parts.pending.keep(slot, rhythm);
    this.#await(slot, atMs);
  }

  /** For the next owner; not awaited, since what is lost costs one more `slow_down`. */
  #keepInterval(slot: number, intervalMs: number): void {
    const { pending, leases, requests, log } = this.parts;
    const fence = leases.fence(pending.shard(slot));
    const requestId = pending.requestId(slot);
    if (fence === null) return;
    requests.raiseInterval(requestId, Math.ceil(intervalMs / 1000), fence).catch((error: unknown) => {
      log.warn('A raised interval could not be kept', { requestId, error });
    });
  }

  /** Ends a request although no tokens have led to its end. */
  #conclude(slot: number, command: Command): Promise<void> {
    const { pending, conclude } = this.parts;
    return this.#moveOnAfter(slot, conclude.run(pending.requestId(slot), command));
  }

  async #moveOnAfter(slot: number, judged: Promise<Judged>): Promise<void> {
    this.#moveOn(slot, await judged);
  }

  #moveOn(slot: number, judged: Judged): void {
    const { nowMs } = this.parts;
    switch (judged) {
      case 'concluded':
        return this.#remove(slot);
      case 'not-due':
        return this.#lookAgain(slot);
      case 'held':
        return this.#await(slot, nowMs() + verifyAgainMs, 'held');
    }
  }

  /** By the database's clock the deadline has not come; of two polls about it the second waits an interval, like any. */
  #lookAgain(slot: number): void {
    const { pending, nowMs } = this.parts;
    if (!pending.isResolving(slot)) return this.#await(slot, nowMs() + lookAgainMs);
    const pollMs = nowMs() + pending.intervalMs(slot);
    this.#resolvingUntilMs.set(slot, pollMs + resolutionWindowMs);
    this.#await(slot, pollMs);
  }

  /** Puts a request back to wait for its next moment. One that was dropped while it was busy ends here. */
  #await(slot: number, atMs: number, phase: 'waiting' | 'held' = 'waiting'): void {
    const { pending } = this.parts;
    if (pending.isDropped(slot)) return this.#remove(slot);
    this.#busy.delete(slot);
    pending.enter(slot, phase);
    this.#wheel.arm(slot, atMs);
    this.#setAlarm(this.#wheel.nextMs());
  }

  /** Does the one thing that happens about a request just now. */
  #occupy(slot: number, work: () => Promise<void> | void): void {
    this.parts.pending.enter(slot, 'busy');
    this.#wheel.disarm(slot);
    const done = this.#occupied(slot, work);
    this.#busy.set(slot, done);
  }

  /** One promise for all of it: it is made for every poll. */
  async #occupied(slot: number, work: () => Promise<void> | void): Promise<void> {
    // What follows must find the request busy, also when it has nothing to wait for.
    await Promise.resolve();
    try {
      await work();
    } catch (error) {
      this.#failed(slot, error);
    } finally {
      this.#pumpSoon();
    }
  }

  /** A mistake of ours must not end in silence, and what was received may be gone: from here on it is in doubt. */
  #failed(slot: number, error: unknown): void {
    const { pending, log, nowMs } = this.parts;
    // The process ends: the request stays busy, and so its shard is not released clean.
    if (error instanceof GivenUp) return pending.keep(slot, { ...pending.read(slot), doubt: true });
    const request = pending.read(slot);
    log.error('Handling the answer to a poll failed', { requestId: request.requestId, error });
    this.#goOn(slot, { ...request, doubt: true }, nowMs() + request.intervalMs);
  }

  #drop(slot: number): void {
    if (this.#busy.has(slot)) this.parts.pending.markDropped(slot);
    else this.#remove(slot);
  }

  #remove(slot: number): void {
    const { pending, queues, answers } = this.parts;
    this.#wheel.disarm(slot);
    this.#busy.delete(slot);
    answers.forget(pending.requestId(slot));
    this.#resolvingUntilMs.delete(slot);
    this.#notBeforeMs.delete(slot);
    queues.remove(slot);
    queues.leave(pending.terms(slot).tokenProviderId);
    pending.remove(slot);
  }

  #spacingMs(slot: number): number {
    const { pending, queues } = this.parts;
    const spacingMs = queues.spacingMs(pending.terms(slot).tokenProviderId, this.#rhythmMs(slot));
    return spacingMs * (1 + Math.random() * jitter);
  }

  /** The interval; much more while the provider is going to ping and has not. */
  #rhythmMs(slot: number): number {
    const { pending, clock } = this.parts;
    const intervalMs = pending.intervalMs(slot);
    if (pending.terms(slot).deliveryMode !== 'ping' || pending.isPinged(slot)) return intervalMs;
    return fallbackSpacingMs(pending.deadlineMs(slot) - clock.toMonotonicMs(pending.sentAt(slot)), intervalMs);
  }
}
