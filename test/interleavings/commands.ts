import { randomUUID } from 'node:crypto';
import type { DeliveryMode, Evidence, Command as DomainCommand } from '#lib/domain';
import type { ChangeResult, Database, OpenAttemptResult, SubmitResult } from '#lib/persistence';
import { silentLog } from '#lib/runtime';
import { v7 as newId } from 'uuid';
import { DatabaseClock } from '../../apps/poller/src/database-clock.js';
import { ShardLeases } from '../../apps/poller/src/shard-leases.js';
import { ConcludeAuthentication } from '../../apps/poller/src/conclude-authentication.js';
import { ReceiveNotification } from '../../apps/rules-service/src/notifications/receive-notification.js';
import { anEvidence, aDefinition, aRequest } from '../support/postgres-builders.js';
import type { Lane } from './lane.js';
import { approval, recorder, type State, type Subject } from './states.js';

/** A change that a command asked for, and what the store answered. */
export interface Change {
  readonly requestId: string;
  readonly command: DomainCommand;
  readonly result: ChangeResult;
}

/** What a command did, as its caller sees it. */
export interface Report {
  readonly name: CommandName;
  /** In order. */
  readonly changes: readonly Change[];
  /** Tokens that reached the command: a grant that is used up. */
  readonly evidence: Evidence | null;
  readonly answer: unknown;
}

/** One party of a run. */
export interface Situation {
  readonly lane: Lane;
  readonly database: Database;
  readonly subject: Subject;
  /** 0, 1, 2: tells apart two parties that do the same. */
  readonly ordinal: number;
  /** The version of the rule that every party has read. */
  readonly ruleVersion: number;
}

interface Entry {
  /** Where the request may stand when the command arrives: late, repeated and mistaken arrivals included. */
  readonly from: readonly State[];
  /** The only mode in which there is such a command; any when left out. */
  readonly mode?: DeliveryMode;
  readonly evidence?: (situation: Situation) => Evidence;
  readonly run: (situation: Situation, requests: Requests, evidence: Evidence | null) => Promise<unknown>;
}

type Requests = Database['requests'];

const waiting: readonly State[] = ['pending', 'overdue', 'closing'];
const ended: readonly State[] = ['approved', 'cancelled', 'expired'];

const conclude = (requests: Requests) => new ConcludeAuthentication(requests, (_what, action) => action(), silentLog);

const change = (command: (situation: Situation) => DomainCommand): Entry['run'] => {
  return ({ subject, ...rest }, requests) => conclude(requests).run(subject.requestId, command({ subject, ...rest }));
};

/** The commands that meet. Each runs the code of its service from the point where it turns to the database. */
export const commands = {
  /** Tokens have arrived and are verified. */
  approve: {
    from: [...waiting, ...ended, 'denied', 'failed'],
    evidence: ({ subject }) => subject.evidence,
    run: ({ subject }, requests, evidence) => conclude(requests).run(subject.requestId, approval(evidence!)),
  },
  /** Tokens of their own have reached somebody else: an owner that was paused, or a provider that answers twice. */
  'approve-late': {
    from: [...waiting, ...ended, 'denied', 'failed', 'decided'],
    evidence: () => anEvidence(),
    run: ({ subject }, requests, evidence) => conclude(requests).run(subject.requestId, approval(evidence!)),
  },
  /** Tokens whose verification had to wait: stored first. */
  'approve-held': {
    from: waiting,
    evidence: () => anEvidence(),
    run: async ({ subject }, requests, evidence) => {
      await requests.holdAnswer(subject.requestId, { idToken: 'sealed' });
      return conclude(requests).run(subject.requestId, approval(evidence!, true));
    },
  },
  /** The very tokens that approve this request are shown for another one. */
  reuse: {
    from: ['pending'],
    evidence: ({ subject }) => subject.evidence,
    run: ({ subject }, requests, evidence) => conclude(requests).run(subject.otherRequestId, approval(evidence!)),
  },
  deny: { from: [...waiting, ...ended], run: change(() => ({ type: 'deny', providerError: null, polls: 1 })) },
  expire: {
    from: [...waiting, ...ended],
    run: change(({ subject }) => ({ type: 'expire', fence: subject.fence, polls: 1 })),
  },
  /** The owner cannot know what became of the grant. */
  'fail-fenced': {
    from: [...waiting, 'approved'],
    run: change(({ subject }) => ({
      type: 'fail',
      reason: 'outcome_unknown',
      providerError: null,
      fence: subject.fence,
      polls: 1,
    })),
  },
  cancel: {
    from: ['submitted', 'asked', ...waiting, ...ended, 'decided'],
    run: ({ subject, ordinal }, requests) =>
      requests.change(subject.requestId, { type: 'cancel', by: `shop-${ordinal}` }),
  },
  consume: {
    from: ['pending', ...ended, 'decided', 'lapsing'],
    run: async ({ subject, ordinal, database }, requests) => {
      const { requestId } = subject;
      await requests.change(requestId, { type: 'consume', by: 'shop', key: `key-${ordinal}` });
      return database.requests.consumed(requestId, null);
    },
  },
  /** The decision is recorded: by the event of the end, or by the sweep. */
  record: {
    from: ['asked', ...waiting, ...ended, 'denied', 'failed', 'decided'],
    run: ({ subject, database, lane }) =>
      recorder(database, lane.receiptKey).run(subject.requestId, {
        consumer: 'decision-service',
        eventId: subject.requestId,
      }),
  },
  /** Another poller takes the lapsed shard; its resolution poll says that the grant is gone. */
  'take-over': {
    from: [...waiting, 'approved'],
    run: async ({ subject, database, ordinal }, requests) => {
      const nowMs = () => performance.now();
      const clock = new DatabaseClock(nowMs);
      const owner = `poller-${ordinal + 2}`;
      const leases = new ShardLeases({
        shards: database.shards,
        clock,
        owner,
        leaseMs: 60_000,
        marginMs: 1_000,
        nowMs,
      });
      const { taken } = await leases.renew();
      const fence = leases.fence(subject.shard);
      if (fence === null || !taken.includes(subject.shard)) return 'not-taken';
      const { work } = await database.requests.pending({ shards: [subject.shard] });
      const adopted = work.find(({ requestId }) => requestId === subject.requestId);
      if (!adopted) return 'nothing-pending';
      if (!leases.isTakenOver(adopted.shard, adopted.sentAt)) return 'released';
      const failure = { type: 'fail', reason: 'outcome_unknown', providerError: null, fence, polls: 1 } as const;
      return conclude(requests).run(subject.requestId, failure);
    },
  },
  /** The provider says that an answer is there. */
  ping: {
    from: ['asked', ...waiting, 'approved', 'cancelled'],
    mode: 'ping',
    run: ({ subject }, requests) => notify(requests, subject, { auth_req_id: subject.authReqId }),
  },
  /** The provider sends the tokens of its own accord. */
  push: {
    from: ['asked', ...waiting, 'approved', 'cancelled'],
    mode: 'push',
    run: ({ subject }, requests) =>
      notify(requests, subject, {
        auth_req_id: subject.authReqId,
        id_token: 'a.b.c',
        access_token: 'x',
        token_type: 'Bearer',
      }),
  },
  /** A client's call, which it repeats because it has had no answer. */
  submit: {
    from: ['absent', 'submitted', 'pending', 'approved'],
    run: ({ subject, lane, database }) => {
      const { idempotencyKey, bodyHash, callbackUrl, mode } = subject;
      return database.requests.submit(aRequest(lane.rules[mode], { idempotencyKey, bodyHash, callbackUrl }));
    },
  },
  /** An administrator changes the rule, as the version that was read. */
  'change-rule': {
    from: ['absent', 'approved'],
    run: async ({ lane, subject, database, ruleVersion, ordinal }) => {
      const { id, definition } = lane.rules[subject.mode];
      const { name, tokenProviderId, deliveryMode } = definition;
      const changed = aDefinition({ name, tokenProviderId, deliveryMode, bindingMessage: `text ${ordinal}` });
      return (await database.rules.update(id, ruleVersion, { definition: changed, clientSecret: null })).kind;
    },
  },
  /** A worker opens an attempt; the provider acknowledges. */
  start: {
    from: ['submitted', 'asked', 'pending', 'cancelled'],
    run: async ({ subject, database, ordinal }, requests) => {
      const { requestId } = subject;
      const work = await database.requests.startWork(requestId);
      if (work?.status !== 'requested') return work?.status;
      const attemptId = newId();
      // One has the event; the other one is a sweep.
      const cause = ordinal === 1 ? null : { consumer: 'ciba-worker', eventId: requestId };
      const attempt = { requestId, attemptId, instanceId: `worker-${ordinal}`, callTimeoutMs: 45_000, cause };
      const opened = await database.requests.openAttempt(attempt);
      if (opened.kind !== 'opened') return opened.kind;
      await requests.change(requestId, acknowledgement(attemptId, randomUUID(), opened.sentAt));
      return opened;
    },
  },
  /** The answer to the start call has arrived. */
  acknowledge: {
    from: ['asked', 'pending', 'cancelled'],
    run: ({ subject }, requests) =>
      requests.change(subject.requestId, acknowledgement(subject.attemptId, subject.authReqId, subject.sentAt)),
  },
  /** The answer to the start call was lost. */
  'fail-start': {
    from: ['asked'],
    run: ({ subject }, requests) =>
      requests.change(subject.requestId, {
        type: 'fail-start',
        attemptId: subject.attemptId,
        reason: 'initiation_unknown',
        providerError: null,
      }),
  },
  /** Access tokens that nobody may have any more are removed. */
  purge: { from: ['approved', 'decided', 'lapsing'], run: ({ database }) => database.housekeep() },
} as const satisfies Record<string, Entry>;

export type CommandName = keyof typeof commands;
export const commandNames = Object.keys(commands) as CommandName[];
export const entryOf = (name: CommandName): Entry => commands[name];

/** Runs a command and tells what it did; rejects with whatever the services would log as a fault. */
export async function perform(name: CommandName, situation: Situation): Promise<Report> {
  const entry = entryOf(name);
  const changes: Change[] = [];
  const { requests } = situation.database;
  // Everything as it is, but that each change is written down.
  const noting = Object.create(requests) as Requests;
  noting.change = async (requestId, command) => {
    const result = await requests.change(requestId, command);
    changes.push({ requestId, command, result });
    return result;
  };
  const evidence = entry.evidence?.(situation) ?? null;
  const answer = await entry.run(situation, noting, evidence);
  return { name, changes, evidence, answer };
}

async function notify(requests: Requests, subject: Subject, body: object): Promise<'taken-in' | 'unknown-token'> {
  const token = subject.notificationToken!;
  const attempt = await requests.notified(token);
  if (attempt === null) return 'unknown-token';
  // What comes after the end is for the record alone, and a provider is needed to judge it.
  const recordLatePush = { run: () => Promise.resolve() };
  await new ReceiveNotification(requests, recordLatePush).run({ token, attempt }, JSON.stringify(body));
  return 'taken-in';
}

const acknowledgement = (attemptId: string, authReqId: string, sentAt: Date): DomainCommand => ({
  type: 'acknowledge',
  attemptId,
  authReqId,
  sentAt,
  expiresInSeconds: 120,
  intervalSeconds: 5,
});

export type { OpenAttemptResult, SubmitResult };
