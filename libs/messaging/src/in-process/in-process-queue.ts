import type { Attentiveness } from '../attention.js';
import { letterOf, type DeadLetter } from '../dead-letter.js';
import type { ExchangeName } from '../event-publisher.js';
import { Fifo } from '../fifo.js';
import type { Subscription } from '../subscription.js';
import { topicMatches } from '../topic-pattern.js';
import type { Verdict } from '../verdict.js';
import type { InProcessLimits } from './limits.js';

/** A message in a queue: bytes, so that publisher and handlers share nothing. */
export interface Job {
  readonly body: Buffer;
  readonly attempt: number;
}

/** Who takes jobs; it must call `settle` once for each. */
export interface JobTaker {
  take(job: Job): void;
}

/** The queue of one consumer group for one pattern, with its retries and its dead letters. */
export class InProcessQueue {
  readonly dead: DeadLetter[] = [];
  private readonly jobs = new Fifo<Job>();
  /** The takers in turn, each with the number of jobs that it works on. */
  private takers: { taker: JobTaker; busy: number }[] = [];
  private closed = false;

  constructor(
    readonly name: string,
    private readonly subscription: Subscription,
    private readonly limits: InProcessLimits,
    private readonly attentiveness: Pick<Attentiveness, 'paid'>,
  ) {}

  /** Whether it is the group's, and stays when its consumers leave. */
  get durable(): boolean {
    return this.subscription.delivery === 'one-instance';
  }

  wants(exchange: ExchangeName, routingKey: string): boolean {
    const { delivery, pattern } = this.subscription;
    if (delivery === 'every-waiting-instance' && !this.attentiveness.paid) return false;
    return this.subscription.exchange === exchange && topicMatches(pattern, routingKey);
  }

  /** Whether a publisher must be refused; hints make room for themselves instead. */
  get full(): boolean {
    return this.durable && this.jobs.length >= this.limits.maxQueued;
  }

  push(job: Job): void {
    if (this.closed) return;
    if (!this.durable && this.jobs.length >= this.limits.maxQueued) this.jobs.shift();
    this.jobs.push(job);
    this.dealSoon();
  }

  attach(taker: JobTaker): void {
    this.takers.push({ taker, busy: 0 });
    this.dealSoon();
  }

  detach(taker: JobTaker): void {
    this.takers = this.takers.filter((each) => each.taker !== taker);
  }

  /** The taker is done with the job; the verdict is null when all went well. */
  settle(taker: JobTaker, job: Job, verdict: Verdict | null): void {
    const entry = this.takers.find((each) => each.taker === taker);
    if (entry) entry.busy--;
    if (verdict) this.carryOut(verdict, job);
    this.dealSoon();
  }

  /** Takes a dead letter away; null: there is none of that key. */
  takeDead(key: string): DeadLetter | null {
    const index = this.dead.findIndex((letter) => letter.key === key);
    return index < 0 ? null : this.dead.splice(index, 1)[0]!;
  }

  /** Forgets everything. */
  close(): void {
    this.closed = true;
    this.jobs.clear();
  }

  private carryOut(verdict: Verdict, { body, attempt }: Job): void {
    switch (verdict.kind) {
      case 'retry':
        setTimeout(() => this.push({ body, attempt: attempt + 1 }), verdict.delayMs).unref();
        return;
      case 'dead':
        if (this.dead.length >= this.limits.maxDeadLetters) this.dead.shift();
        this.dead.push(
          letterOf(
            { queue: this.name, id: idOf(body), reason: verdict.reason, attempts: attempt, diedAt: new Date() },
            body,
          ),
        );
    }
  }

  /** Never inside the publisher's own call. */
  private dealSoon(): void {
    setImmediate(() => this.deal());
  }

  private deal(): void {
    while (this.jobs.length > 0) {
      const index = this.takers.findIndex((each) => each.busy < this.limits.prefetch);
      if (index < 0) return;
      const [entry] = this.takers.splice(index, 1);
      this.takers.push(entry!);
      entry!.busy++;
      entry!.taker.take(this.jobs.shift()!);
    }
  }
}

/** The id that the event gives itself; a broken one may give none. */
export function idOf(body: Buffer): string | null {
  try {
    const event: unknown = JSON.parse(body.toString('utf8'));
    if (typeof event !== 'object' || event === null || !('id' in event)) return null;
    return typeof event.id === 'string' ? event.id : null;
  } catch {
    return null;
  }
}
