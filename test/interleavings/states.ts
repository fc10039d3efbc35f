import { randomBytes, randomUUID } from 'node:crypto';
import { shardOf, type DeliveryMode, type Evidence, type Fence } from '#lib/domain';
import type { Database, SigningKey } from '#lib/persistence';
import { v7 as newId } from 'uuid';
import { RecordDecision } from '../../apps/decision-service/src/record-decision.js';
import { anEvidence, approve, aRequest, pending } from '../support/postgres-builders.js';
import type { Lane } from './lane.js';

/** Where a request stands when two commands meet. */
export const states = [
  /** Not submitted yet. */
  'absent',
  /** Accepted; nobody has opened an attempt. */
  'submitted',
  /** An attempt is open: the provider is being asked. */
  'asked',
  'pending',
  /** Pending, and its deadline has passed. */
  'overdue',
  /** Pending, and its deadline passes while the commands wait for a lock. */
  'closing',
  /** Approved, and its decision not recorded. */
  'approved',
  /** Approved, and its decision recorded. */
  'decided',
  /** Approved, and the time to use it passes while the commands wait for a lock. */
  'lapsing',
  'denied',
  'expired',
  'cancelled',
  'failed',
] as const;
export type State = (typeof states)[number];

/** The request that commands meet at, and what they know of it. */
export interface Subject {
  readonly state: State;
  readonly mode: DeliveryMode;
  readonly requestId: string;
  /** Another pending request, for evidence that must not serve twice. */
  readonly otherRequestId: string;
  readonly shard: number;
  readonly authReqId: string;
  readonly attemptId: string;
  readonly notificationToken: string | null;
  readonly sentAt: Date;
  readonly idempotencyKey: string;
  readonly bodyHash: Buffer;
  /** What approved it, before the run or in it. */
  readonly evidence: Evidence;
  /** Who polls, until somebody takes over. */
  readonly fence: Fence;
  readonly callbackUrl: string;
}

/** How long after the start of a run a deadline that passes in it lies, in ms. */
export const closingMs = 120;

const leaseOwner = 'poller-1';
const expirySeconds: Partial<Record<State, number>> = { overdue: -1 };

/** Makes requests in a state, many of them side by side so that they share their statements. */
export function prepare(
  lane: Lane,
  state: State,
  mode: DeliveryMode,
  count: number,
  withOther = false,
): Promise<Subject[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const subject = await prepareOne(lane, state, mode);
      if (withOther) await pending(lane.preparer, lane.rules[mode], { request: { id: subject.otherRequestId } });
      return subject;
    }),
  );
}

async function prepareOne(lane: Lane, state: State, mode: DeliveryMode): Promise<Subject> {
  const { preparer, rules } = lane;
  const requestId = newId();
  const subject = {
    state,
    mode,
    requestId,
    otherRequestId: newId(),
    shard: shardOf(requestId),
    authReqId: randomUUID(),
    attemptId: newId(),
    notificationToken: mode === 'poll' ? null : randomBytes(20).toString('hex'),
    sentAt: new Date(),
    idempotencyKey: randomUUID(),
    bodyHash: randomBytes(32),
    evidence: anEvidence(),
    fence: { shard: shardOf(requestId), owner: leaseOwner, epoch: 0 },
    callbackUrl: 'https://shop.example/callback',
  };
  if (state === 'absent') return subject;
  const { idempotencyKey, bodyHash, callbackUrl } = subject;
  const request = { id: requestId, idempotencyKey, bodyHash, callbackUrl };
  await preparer.requests.submit(aRequest(rules[mode], request));
  if (state === 'submitted') return subject;
  const opened = await preparer.requests.openAttempt({
    requestId,
    attemptId: subject.attemptId,
    instanceId: 'worker-1',
    callTimeoutMs: 45_000,
    notificationToken: subject.notificationToken,
    cause: null,
  });
  if (opened.kind !== 'opened') throw new Error(opened.kind);
  const asked = { ...subject, sentAt: opened.sentAt };
  if (state === 'asked') return asked;
  await acknowledged(preparer, asked, expirySeconds[state] ?? 7_200);
  await bringTo(lane, asked);
  return asked;
}

async function acknowledged(database: Database, subject: Subject, expiresInSeconds: number): Promise<void> {
  const { requestId, attemptId, authReqId, sentAt } = subject;
  const acknowledge = {
    type: 'acknowledge',
    attemptId,
    authReqId,
    sentAt,
    expiresInSeconds,
    intervalSeconds: 5,
  } as const;
  applied(await database.requests.change(requestId, acknowledge));
}

async function bringTo(lane: Lane, subject: Subject): Promise<void> {
  const { preparer } = lane;
  const { requestId } = subject;
  switch (subject.state) {
    case 'approved':
    case 'decided':
    case 'lapsing':
      applied(await preparer.requests.change(requestId, approval(subject.evidence)));
      if (subject.state !== 'approved') await recorder(preparer, lane.receiptKey).run(requestId, null);
      return;
    case 'denied':
      return applied(await preparer.requests.change(requestId, { type: 'deny', providerError: null, polls: 1 }));
    case 'expired':
      return applied(await preparer.requests.change(requestId, { type: 'provider-expired', fence: null, polls: 1 }));
    case 'cancelled':
      return applied(await preparer.requests.change(requestId, { type: 'cancel', by: 'shop' }));
    case 'failed': {
      const failure = { type: 'fail', reason: 'provider_error', providerError: null, fence: null, polls: 1 } as const;
      return applied(await preparer.requests.change(requestId, failure));
    }
    case 'absent':
    case 'submitted':
    case 'asked':
    case 'pending':
    case 'overdue':
    case 'closing':
      return;
  }
}

/** Tokens that approve, and an access token to be released. */
export const approval = (evidence: Evidence, held = false) =>
  approve({
    evidence,
    held,
    releasedToken: { value: 'a token', tokenType: 'Bearer', expiresAt: null, scope: 'openid' },
  });

export const recorder = (database: Pick<Database, 'decisions'>, receiptKey: SigningKey): RecordDecision =>
  new RecordDecision({
    // The store reads it every five seconds; within a run that would be a matter of time.
    database: { decisions: database.decisions, signingKeys: { current: async () => receiptKey } as never },
    issuer: 'https://assent.example',
    onRecorded: () => undefined,
  });

function applied({ kind }: { readonly kind: string }): void {
  if (kind !== 'applied') throw new Error(`A state could not be prepared: ${kind}.`);
}

/** Sets up what is a matter of the moment: who owns the shard, and a deadline that is about to pass. */
export async function arm(lane: Lane, subject: Subject, previous: Subject | null, lateMs = closingMs): Promise<void> {
  await lane.monitor.query({
    name: 'own',
    text: `update poller_shards set owner = case when shard = $1 then $2 else 'elsewhere' end, epoch = case when shard = $1 then 0 else epoch end,
        lease_until = case when shard = $1 then clock_timestamp() - interval '1 s' else 'infinity' end, unclean_takeover_at = null
      where shard = any($3::smallint[])`,
    values: [subject.shard, leaseOwner, [subject.shard, previous?.shard ?? subject.shard]],
  });
  const column = subject.state === 'closing' ? 'expires_at' : subject.state === 'lapsing' ? 'consume_by' : null;
  if (column === null) return;
  await lane.monitor.query(
    `update authorization_requests set ${column} = clock_timestamp() + $2::integer * interval '1 millisecond' where id = $1`,
    [subject.requestId, lateMs],
  );
}
