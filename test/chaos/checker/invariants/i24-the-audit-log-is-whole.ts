import { createHash } from 'node:crypto';
import { compactVerify, importJWK, type CryptoKey, type JWK } from 'jose';
import { canonical } from '../canonical.js';
import type { History } from '../history.js';
import type { Row } from '../history-lines.js';
import { Findings, type Invariant } from '../judgement.js';

const genesis = Buffer.alloc(32).toString('base64url');
const sha256 = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('base64url');

/**
 * I24. Every end and every use is in the audit log once, as it was; each event follows from the one before it, from the
 * first on, without a gap; and heads signed by a published key cover all of them.
 */
export const theAuditLogIsWhole: Invariant = {
  id: 'I24',
  claim: 'every end and every use is in the audit log once, and the log is one sealed chain',
  elsewhere: 'that a log whose end was cut off shows only against an anchor: apps/cli/src/audit.spec.ts',
  judge: async (history) => {
    const findings = new Findings();
    const events = [...history.auditEvents].sort(
      (one, other) => numberOf(one, 'sequence') - numberOf(other, 'sequence'),
    );
    judgeChain(events, findings);
    await judgeHeads(history, events, findings);
    judgeEnds(history, events, findings);
    return findings;
  },
};

function judgeChain(events: readonly Row[], findings: Findings): void {
  let previousHash = genesis;
  for (const [index, event] of events.entries()) {
    const about = String(event['id']);
    findings.expect(event['sequence'] !== null, about, 'an audit event that was never sealed');
    findings.expect(Number(event['sequence']) === index + 1, about, `number ${index + 1} of the audit log is missing`);
    const covered = {
      sequence: Number(event['sequence']),
      id: event['id'],
      at: event['at'],
      actor: { type: event['actor_type'], id: event['actor_id'], name: event['actor_name'] },
      action: event['action'],
      resource: { type: event['resource_type'], id: event['resource_id'], name: event['resource_name'] },
      requestId: event['request_id'],
      changes: event['changes'],
      detail: event['detail'],
      personalSha256: event['personal_sha256'],
    };
    findings.expect(sha256({ event: covered, previousHash }) === event['hash'], about, 'it is not what was sealed');
    const { personal, personal_salt: salt } = event;
    const fits = personal == null || sha256({ personal, salt }) === event['personal_sha256'];
    findings.expect(fits, about, 'it names somebody else than was sealed');
    previousHash = String(event['hash']);
  }
}

async function judgeHeads(history: History, events: readonly Row[], findings: Findings): Promise<void> {
  const keys = new Map<string, CryptoKey | Uint8Array>();
  for (const jwk of history.run.jwks) {
    if (typeof jwk['kid'] === 'string' && jwk['alg'] === 'EdDSA') {
      keys.set(jwk['kid'], await importJWK(jwk as JWK, 'EdDSA'));
    }
  }
  let sealed = 0;
  const heads = [...history.auditHeads].sort((one, other) => numberOf(one, 'batch') - numberOf(other, 'batch'));
  for (const [index, head] of heads.entries()) {
    const about = `head ${index + 1}`;
    const [first, last] = [numberOf(head, 'first_sequence'), numberOf(head, 'last_sequence')];
    findings.expect(numberOf(head, 'batch') === index + 1, about, 'it is missing');
    findings.expect(first === sealed + 1 && last >= first, about, 'it does not begin where the one before it ended');
    findings.expect(head['previous_hash'] === (events[first - 2]?.['hash'] ?? genesis), about, 'it follows nothing');
    findings.expect(head['hash'] === events[last - 1]?.['hash'], about, 'it ends in another event than is there');
    const text = canonical({
      batch: index + 1,
      firstSequence: first,
      lastSequence: last,
      previousHash: head['previous_hash'],
      hash: head['hash'],
      sealedAt: head['sealed_at'],
    });
    findings.expect(await isSigned(head, text, keys), about, 'no published key has signed what it says');
    sealed = last;
  }
  findings.expect(sealed === events.length, 'the audit log', `its heads cover ${sealed} of ${events.length} events`);
}

async function isSigned(head: Row, text: string, keys: ReadonlyMap<string, CryptoKey | Uint8Array>): Promise<boolean> {
  const key = keys.get(String(head['kid']));
  if (key === undefined) return false;
  try {
    const { payload } = await compactVerify(String(head['signature']), key, { algorithms: ['EdDSA'] });
    return Buffer.from(payload).toString('utf8') === text;
  } catch {
    return false;
  }
}

function judgeEnds(history: History, events: readonly Row[], findings: Findings): void {
  const told = new Map<string, number>();
  for (const { resource_id: id, action } of events) {
    const key = `${String(id)} ${String(action)}`;
    told.set(key, (told.get(key) ?? 0) + 1);
  }
  let expected = 0;
  const expectOnce = (id: string, what: string): void => {
    expected += 1;
    const times = told.get(`${id} authorization-request.${what}`) ?? 0;
    findings.expect(times === 1, id, `that it was ${what} is in the audit log ${times} times`);
  };
  for (const { id, status, endedAtMs, consumedAtMs } of history.requests.values()) {
    if (endedAtMs !== null) expectOnce(id, status);
    if (consumedAtMs !== null) expectOnce(id, 'consumed');
  }
  const about = events.filter(({ action }) => String(action).startsWith('authorization-request.')).length;
  findings.expect(
    about === expected,
    'the audit log',
    `it tells of ${about} ends and uses, and there were ${expected}`,
  );
}

/** `bigint` comes as text; what has none comes last. */
const numberOf = (row: Row, column: string): number => (row[column] === null ? Infinity : Number(row[column]));
