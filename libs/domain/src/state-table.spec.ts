/** The whole state machine, cell by cell: every command in its every variant, in every state, before and after time. */
import { describe, expect, it } from '@jest/globals';
import {
  decide,
  failureReasons,
  isRefusal,
  statuses,
  type Command,
  type Evidence,
  type Fence,
  type Snapshot,
  type Status,
} from './authorization-request.js';

const now = new Date('2026-03-01T12:00:00.000Z');
const earlier = new Date(now.getTime() - 1);
const later = new Date(now.getTime() + 1);
const fence: Fence = { shard: 7, owner: 'poller-1', epoch: 3 };
const providerError = { code: 'no', description: null };
const evidence: Evidence = {
  issuer: 'op',
  subject: 'alice',
  acr: null,
  amr: null,
  authTime: null,
  idTokenSha256: 'hash',
};
const attemptId = 'attempt';

const acknowledge = {
  type: 'acknowledge',
  attemptId,
  authReqId: 'id',
  sentAt: now,
  expiresInSeconds: 1,
  intervalSeconds: 5,
} as const;
const approve = {
  type: 'approve',
  evidence,
  grantedScope: 'openid',
  consumeWithinSeconds: 9,
  releasedToken: null,
  polls: 1,
} as const;
const releasedToken = { value: 'at', tokenType: 'Bearer', expiresAt: null, scope: 'openid' };

/** States in which time matters stand there twice. */
const columns: Readonly<Record<string, Snapshot>> = Object.fromEntries(
  [
    { name: 'requested', status: 'requested' as const },
    { name: 'pending', status: 'pending' as const, expiresAt: later },
    { name: 'overdue', status: 'pending' as const, expiresAt: now },
    { name: 'approved', status: 'approved' as const, consumeBy: later },
    { name: 'lapsed', status: 'approved' as const, consumeBy: now },
    { name: 'consumed', status: 'approved' as const, consumeBy: later, consumedAt: earlier },
    ...(['denied', 'expired', 'cancelled', 'failed'] as const).map((status) => ({ name: status, status })),
  ].map(({ name, ...state }) => [name, { id: 'id', expiresAt: now, consumedAt: null, consumeBy: null, ...state }]),
);

const commands: Readonly<Record<string, Command>> = {
  acknowledge,
  'acknowledge by notification': { ...acknowledge, byNotification: true },
  ...Object.fromEntries(
    failureReasons.map((reason) => [`fail-start ${reason}`, { type: 'fail-start', attemptId, reason, providerError }]),
  ),
  'fail-start without attempt': {
    type: 'fail-start',
    attemptId: null,
    reason: 'configuration_error',
    providerError: null,
  },
  reword: { type: 'reword', attemptId, bindingMessage: 'text', requestHash: 'hash' },
  'refuse-start': { type: 'refuse-start', attemptId, providerError },
  'give-up-start': { type: 'give-up-start' },
  approve: { ...approve, held: false },
  'approve held': { ...approve, held: true },
  'approve and release': { ...approve, held: false, releasedToken },
  deny: { type: 'deny', providerError: null, polls: 1 },
  expire: { type: 'expire', polls: 1 },
  'expire fenced': { type: 'expire', fence, polls: 1 },
  'provider-expired': { type: 'provider-expired', fence: null, polls: 1 },
  'provider-expired fenced': { type: 'provider-expired', fence, polls: 1 },
  ...Object.fromEntries(
    failureReasons.map((reason) => [`fail ${reason}`, { type: 'fail', reason, providerError, fence: null, polls: 1 }]),
  ),
  'fail fenced': { type: 'fail', reason: 'outcome_unknown', providerError: null, fence, polls: 1 },
  cancel: { type: 'cancel', by: 'client' },
  consume: { type: 'consume', by: 'client', key: 'key' },
};

// What a cell says: `-> status [guard] !fenced {what is set}`, or why it is refused; `+late`: the evidence is kept.
const over = 'already_decided';
const atEnd = {
  approved: over,
  lapsed: over,
  consumed: over,
  denied: over,
  expired: over,
  cancelled: over,
  failed: over,
};
const asked = { ...atEnd, pending: 'not_requested', overdue: 'not_requested' };
const waiting = { ...atEnd, requested: 'not_pending' };
const late = Object.fromEntries(Object.entries(waiting).map(([name, code]) => [name, `${code} +late`]));
const toBoth = (cell: string) => ({ pending: cell, overdue: cell });
const closed = 'closedAttempt';
const named = (reason: string) => `-> failed {${closed},providerError,reason} ${reason}`;

const started = '{authReqId,closedAttempt,expiresAt,intervalSeconds,sentAt}';
const proof = 'consumeWithinSeconds,evidence,grantedScope';
const table: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  acknowledge: { ...asked, requested: `-> pending ${started}` },
  'acknowledge by notification': { ...asked, requested: `-> pending ${started}` },
  ...Object.fromEntries(
    failureReasons.map((reason) => [`fail-start ${reason}`, { ...asked, requested: named(reason) }]),
  ),
  'fail-start without attempt': { ...asked, requested: '-> failed {reason} configuration_error' },
  reword: { ...asked, requested: `-> requested [attempt-open] {bindingMessage,${closed},requestHash}` },
  'refuse-start': { ...asked, requested: `-> denied {${closed},providerError,reason} provider_policy` },
  'give-up-start': { ...asked, requested: '-> expired' },
  approve: {
    ...late,
    pending: `-> approved [before-deadline] {${proof}}`,
    overdue: '-> expired [after-deadline] {lateEvidence}',
  },
  'approve held': { ...late, ...toBoth(`-> approved [held-before-deadline] {${proof}}`) },
  'approve and release': {
    ...late,
    pending: `-> approved [before-deadline] {${proof},releasedToken}`,
    overdue: '-> expired [after-deadline] {lateEvidence}',
  },
  deny: { ...waiting, ...toBoth('-> denied') },
  expire: { ...waiting, pending: 'not_due', overdue: '-> expired [after-deadline]' },
  'expire fenced': { ...waiting, pending: 'not_due', overdue: '-> expired [after-deadline] !fenced' },
  'provider-expired': { ...waiting, ...toBoth('-> expired') },
  'provider-expired fenced': { ...waiting, ...toBoth('-> expired !fenced') },
  ...Object.fromEntries(
    failureReasons.map((reason) => [
      `fail ${reason}`,
      { ...waiting, ...toBoth(`-> failed {providerError,reason} ${reason}`) },
    ]),
  ),
  'fail fenced': { ...waiting, ...toBoth('-> failed !fenced {reason} outcome_unknown') },
  cancel: { ...atEnd, requested: '-> cancelled', ...toBoth('-> cancelled') },
  consume: {
    ...Object.fromEntries(Object.keys(columns).map((name) => [name, 'not_approved'])),
    approved: '-> approved [consumable] {consumed}',
    lapsed: 'approval_lapsed',
    consumed: 'already_consumed',
  },
};

function cellOf(request: Snapshot, command: Command): string {
  const answer = decide(request, command, now);
  if (isRefusal(answer)) return `${answer.refused}${answer.lateEvidence === null ? '' : ' +late'}`;
  const set = Object.keys(answer.changes).sort().join();
  return [
    `-> ${answer.to}`,
    answer.guard === 'none' ? null : `[${answer.guard}]`,
    answer.fence && '!fenced',
    set && `{${set}}`,
    answer.changes.reason,
  ]
    .filter(Boolean)
    .join(' ');
}

describe('the state machine', () => {
  it('has a row for every command and a column for every status', () => {
    expect(Object.keys(table)).toEqual(Object.keys(commands));
    expect(new Set(Object.values(columns).map(({ status }) => status))).toEqual(new Set<Status>(statuses));
    for (const row of Object.values(table)) expect(Object.keys(row).sort()).toEqual(Object.keys(columns).sort());
  });

  it.each(Object.keys(commands).flatMap((command) => Object.keys(columns).map((state) => [command, state] as const)))(
    '%s when %s',
    (command, state) => {
      expect(cellOf(columns[state]!, commands[command]!)).toBe(table[command]![state]);
    },
  );
});
