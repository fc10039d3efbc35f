import { section } from './section.js';
import type { Bounds } from './world.js';

/** Time, leases and what may still go wrong. Moments are ticks plus one; 0: none. */
const Whole = section(
  'tick',
  /** The rule says something else by now than the version that the request was made under. */
  'ruleChanged',
  'crashes',
  'losses',
  'lies',
  'pauses',
  'handOvers',
  /** 0 nobody, 1 and 2 the pollers, 3 a process that is dead. */
  'owner',
  'epoch',
  /** Index into `leaseAges`. */
  'leaseAge',
  'uncleanAt',
);

/** A request's row in the database, with its held answer and its inbox. */
const Row = section(
  'status',
  'reason',
  'text',
  'sentAt',
  'expiresAt',
  'authReqId',
  'evidence',
  'lateEvidence',
  'consumedBy',
  'consumeBy',
  'heldToken',
  'heldAt',
  'pinged',
  /** Copies of the event `authorization.requested` that are on their way. */
  'hints',
  'inbox',
  'decision',
  'decisions',
);

const Attempt = section('state', 'sentAt', 'text');

/** What the provider knows about one prompt. */
const Grant = section(
  'person',
  'used',
  'usedAt',
  'attempt',
  'text',
  /** A poll that we gave up is still on its way. */
  'inTransit',
  /** Notifications that the provider has sent. */
  'notified',
);

/** A command on its way to the database: read, decide, apply. */
const Job = section('command', 'arg', 'epoch', 'snapshot');

const Worker = section('phase', 'byEvent', 'attempt', 'prompts', 'outcome', 'arg', 'text');
const Poller = section('alive', 'epoch', 'uncleanAt', 'leaving');
/** What a poller remembers of a request. */
const Memory = section(
  'phase',
  'doubt',
  'lost',
  'takenOver',
  'resolving',
  'dropped',
  'slowed',
  'outcome',
  'token',
  'stored',
  'storedAt',
  'epoch',
);
const Call = section('phase');
const Notifier = section('phase', 'grant', 'seenStatus', 'seenId', 'content');

export type WholePart = InstanceType<typeof Whole>;
export type RowPart = InstanceType<typeof Row>;
export type AttemptPart = InstanceType<typeof Attempt>;
export type GrantPart = InstanceType<typeof Grant>;
export type JobPart = InstanceType<typeof Job>;
export type WorkerPart = InstanceType<typeof Worker> & { readonly job: JobPart };
export type MemoryPart = InstanceType<typeof Memory> & { readonly job: JobPart };
export type CallPart = InstanceType<typeof Call> & { readonly job: JobPart };
export type NotifierPart = InstanceType<typeof Notifier> & { readonly job: JobPart };

export interface PollerPart extends InstanceType<typeof Poller> {
  readonly memory: readonly MemoryPart[];
}

/** One request and everybody who has to do with it alone. */
export interface RequestPart {
  readonly row: RowPart;
  readonly attempts: readonly AttemptPart[];
  readonly workers: readonly WorkerPart[];
  readonly canceller: CallPart;
  readonly consumers: readonly CallPart[];
  readonly recorders: readonly CallPart[];
  readonly notifier: NotifierPart;
}

/** Grants of one request at most; one more than the rules allow, so that too many are seen. */
export const grantsOfRequest = 3;

/** The whole state of the system, in a few bytes. */
export class State {
  readonly whole: WholePart;
  readonly requests: readonly RequestPart[];
  /** By `auth_req_id`, which is the index plus one. */
  readonly grants: readonly GrantPart[];
  readonly pollers: readonly PollerPart[];

  constructor(
    readonly bounds: Bounds,
    readonly bytes: Uint8Array,
  ) {
    let at = 0;
    const one = <Part>(Type: { readonly size: number; new (bytes: Uint8Array, at: number): Part }): Part => {
      const part = new Type(bytes, at);
      at += Type.size;
      return part;
    };
    const withJob = <Part extends object>(Type: { readonly size: number; new (b: Uint8Array, at: number): Part }) =>
      Object.assign(one(Type), { job: one(Job) });
    const many = <Part>(count: number, make: () => Part): Part[] => Array.from({ length: count }, make);
    this.whole = one(Whole);
    this.requests = many(bounds.requests, () => ({
      row: one(Row),
      attempts: many(bounds.attempts, () => one(Attempt)),
      workers: many(bounds.workers, () => withJob(Worker)),
      canceller: withJob(Call),
      consumers: many(bounds.consumers, () => withJob(Call)),
      recorders: many(bounds.recorders, () => withJob(Call)),
      notifier: withJob(Notifier),
    }));
    this.grants = many(bounds.requests * grantsOfRequest, () => one(Grant));
    this.pollers = many(bounds.pollers, () =>
      Object.assign(one(Poller), { memory: many(bounds.requests, () => withJob(Memory)) }),
    );
    if (bytes.length !== 0 && bytes.length !== at) throw new Error(`A state has ${at} bytes, not ${bytes.length}.`);
    this.size = at;
  }

  readonly size: number;

  clone(): State {
    return new State(this.bounds, this.bytes.slice());
  }

  static empty(bounds: Bounds): State {
    return new State(bounds, new Uint8Array(new State(bounds, new Uint8Array(0)).size));
  }
}
