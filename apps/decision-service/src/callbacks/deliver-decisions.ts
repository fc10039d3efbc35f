import type { Database, DeliveryResult, DeliveryWork } from '#lib/persistence';
import { counter, Loop, type Log } from '#lib/runtime';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { settle, type Answer } from './answer.js';
import { DeliveryLog } from './delivery-log.js';
import { Lanes, type LaneLimits, type Place } from './lanes.js';
import { mayHaveLeft } from './left-behind.js';
import type { CallbackSender } from './send.js';
import { signatureHeaders, Unsignable } from './sign.js';

/**
 * Deliveries of this process at a time. Whoever answers within a second is served from places that nobody holds for
 * longer; the memory of this process holds 600 deliveries under way, and those that wait for their own target.
 */
const limits = { perTarget: 4, waitingPerTarget: 4, prompt: 200, slow: 400, slowAfterMs: 1000 } satisfies LaneLimits;
/** Results that wait to be written, at most, before no more is claimed. */
const mostUnwritten = 600;
/** Longer than a delivery can wait for its lane and be sent: only a dead process lets a lease end. */
export const leaseSeconds = 60;
/**
 * How late a due retry may start. New deliveries do not wait for it, but those that their recorder left: it died, or was full.
 */
const everyMs = 1000;
const stopLimitMs = 10_000;

/** What delivering needs. */
export interface DeliverDecisionsOptions {
  readonly database: Pick<Database, 'deliveries' | 'signingKeys'>;
  readonly sender: CallbackSender;
  readonly log: Log;
  /** An endpoint to which nothing has arrived for so long is disabled. */
  readonly disableAfterSeconds?: number;
}

/** Sends what is due to callbacks and webhook endpoints, at least once, under an id that never changes. */
@Injectable()
export class DeliverDecisions implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #loop: Loop;
  readonly #lanes = new Lanes<DeliveryWork>(limits, (work, cutOff) => this.#deliver(work, cutOff));
  readonly #results: DeliveryLog;
  readonly #writing = new Set<Promise<void>>();
  /** Whether the last claim may have left something that is due, for want of room; else no end of a delivery makes any. */
  #leftBehind = true;
  #stopping = false;
  #cutOff = false;

  constructor(private readonly options: DeliverDecisionsOptions) {
    const { database, log, disableAfterSeconds } = options;
    this.#results = new DeliveryLog({ database, log, disableAfterSeconds });
    this.#loop = new Loop({ name: 'Claiming deliveries', everyMs, log, tick: (stopping) => this.#claim(stopping) });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  /** Claims nothing more, and gives what is in flight ten seconds to end. What is cut off then is sent again. */
  async onApplicationShutdown(): Promise<void> {
    this.#stopping = true;
    await this.#loop.stop();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, stopLimitMs)));
    await Promise.race([this.#idle(), limit]);
    clearTimeout(timer);
    this.#cutOff = true;
    await this.options.sender.close();
  }

  /** Resolves when nothing is under way, and the results of all that was are written. */
  async #idle(): Promise<void> {
    await this.#lanes.idle();
    while (this.#writing.size > 0) await Promise.all(this.#writing);
  }

  /** There may be something due. */
  wake(): void {
    this.#loop.wake();
  }

  /**
   * Holds a place for a callback that is being written, so that whoever writes it leases it at once and it goes out without
   * a claim; null when it has to take its turn: its receiver is busy, or something older may be waiting.
   */
  hold(callbackUrl: string): Place<DeliveryWork> | null {
    if (this.#stopping || this.#leftBehind || this.#room <= 0) return null;
    return this.#lanes.hold(callbackTarget(callbackUrl));
  }

  /** How many more may be under way; while results cannot be written, no more than have a place in memory. */
  get #room(): number {
    return Math.min(this.#lanes.room, mostUnwritten - this.#writing.size);
  }

  async #claim(stopping: AbortSignal): Promise<void> {
    for (let limit = this.#room; !stopping.aborted && limit > 0; limit = this.#room) {
      // What ends while this is being claimed makes room for another claim, whatever comes of this one.
      this.#leftBehind = true;
      const exceptTargets = this.#lanes.full();
      const claim = { limit, leaseSeconds, perTarget: limits.perTarget, exceptTargets };
      const work = await this.options.database.deliveries.claim(claim);
      for (const each of work) this.#lanes.add(each);
      // Whatever could go out has been claimed; the end of a delivery, or a new one, wakes this up again.
      if (work.length < limit) {
        this.#leftBehind = mayHaveLeft({ limit, exceptTargets, work });
        return;
      }
    }
    this.#leftBehind = true;
  }

  /**
   * Ends when the receiver has answered: its place is free for the next one while the result is being written. Until that
   * is committed the lease keeps everybody from sending it again.
   */
  async #deliver(work: DeliveryWork, cutOff: AbortSignal): Promise<void> {
    const at = new Date();
    const started = performance.now();
    const { answer, sendable, asked } = await this.#attempt(work, at, cutOff);
    if (this.#cutOff) return;
    const outcome = sendable ? settle(answer, work.failedAttempts, Math.random()) : 'gone';
    const durationMs = Math.round(performance.now() - started);
    this.#tell(work, answer, outcome);
    const { status, problem } = answer;
    this.#write({ id: work.id, at, durationMs, status, problem, outcome, ours: !asked });
  }

  #write(result: DeliveryResult): void {
    const written = this.#results.write(result).finally(() => {
      this.#writing.delete(written);
      if (this.#leftBehind) this.wake();
    });
    this.#writing.add(written);
  }

  async #attempt(
    work: DeliveryWork,
    sentAt: Date,
    cutOff: AbortSignal,
  ): Promise<{ answer: Answer; sendable: boolean; asked: boolean }> {
    try {
      if (work.kind === 'webhook' && work.secrets.length === 0) throw new Unsignable('the endpoint was deleted');
      const key = await this.options.database.signingKeys.current('callback');
      const headers = signatureHeaders({ ...work, sentAt }, work.secrets, key);
      const answer = await this.options.sender.send(work.url, headers, work.body, cutOff);
      return { answer, sendable: true, asked: true };
    } catch (error) {
      const sendable = !(error instanceof Unsignable);
      const problem = sendable ? 'it could not be signed just now' : error.message;
      if (sendable) this.options.log.error('A delivery could not be signed', { deliveryId: work.id, error });
      return { answer: { status: null, problem, retryAfterSeconds: null }, sendable, asked: false };
    }
  }

  #tell(work: DeliveryWork, answer: Answer, outcome: DeliveryResult['outcome']): void {
    const result = typeof outcome === 'string' ? outcome : 'retry';
    attempts().inc({ kind: work.kind, result });
    const detail = { deliveryId: work.id, requestId: work.requestId, kind: work.kind, problem: answer.problem };
    if (result === 'exhausted' || result === 'gone') this.options.log.error('A delivery was given up', detail);
    else if (result === 'retry') this.options.log.info('A delivery failed and will be tried again', detail);
  }
}

/** Whose turn a callback takes: its host, as the decision's statement finds it. */
const callbackTarget = (url: string): string => (/^[^:]+:\/\/([^/?#]+)/.exec(url)?.[1] ?? '').toLowerCase();

const attempts = () =>
  counter({
    name: 'assent_delivery_attempts_total',
    help: 'Attempts to deliver a decision, by result: delivered, retry, exhausted or gone.',
    labelNames: ['kind', 'result'],
  });
