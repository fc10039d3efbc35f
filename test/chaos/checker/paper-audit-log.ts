import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { canonical } from './canonical.js';
import type { LooseRow, PaperRun } from './history-builder.js';

/** What one event of the log tells. */
export interface PaperEvent {
  readonly action: string;
  readonly resourceId: unknown;
  readonly at: unknown;
  readonly personal?: LooseRow;
}

const eventsPerHead = 5;
const base64url = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Everything that the requests of a paper run leave in the audit log. */
export function auditEventsOf({ database }: PaperRun): PaperEvent[] {
  const requests = database['authorization_requests'] ?? [];
  return requests.flatMap((row) => {
    const event = (what: unknown, at: unknown, more: Partial<PaperEvent> = {}): PaperEvent[] =>
      at === null ? [] : [{ action: `authorization-request.${String(what)}`, resourceId: row['id'], at, ...more }];
    return [
      ...event(row['status'], row['ended_at'], { personal: { subject: 'alice' } }),
      ...event('consumed', row['consumed_at']),
    ];
  });
}

/** Writes these events down as a log that is in order: numbered, chained, sealed, and its key published. */
export function sealAuditLog(paper: PaperRun, told: readonly PaperEvent[]): void {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const kid = `audit-${randomUUID()}`;
  paper.run.jwks = [...paper.run.jwks, { ...publicKey.export({ format: 'jwk' }), kid, alg: 'EdDSA', use: 'sig' }];
  let hash = Buffer.alloc(32).toString('base64url');
  const hashes = [hash];
  paper.database['audit_events'] = told.map(({ action, resourceId, at, personal = null }, index) => {
    const salt = personal && 'a salt';
    const personalSha256 = personal && base64url(canonical({ personal, salt }));
    const event = {
      sequence: index + 1,
      id: randomUUID(),
      at,
      actor: { type: 'system', id: null, name: null },
      action,
      resource: { type: 'authorization-request', id: resourceId, name: null },
      requestId: null,
      changes: null,
      detail: { reason: null },
      personalSha256,
    };
    hash = base64url(canonical({ event, previousHash: hash }));
    hashes.push(hash);
    return {
      id: event.id,
      at,
      actor_type: 'system',
      actor_id: null,
      actor_name: null,
      action,
      resource_type: 'authorization-request',
      resource_id: resourceId,
      resource_name: null,
      request_id: null,
      changes: null,
      detail: event.detail,
      personal,
      personal_salt: salt,
      personal_sha256: personalSha256,
      sequence: String(index + 1),
      hash,
    };
  });
  paper.database['audit_heads'] = Array.from({ length: Math.ceil(told.length / eventsPerHead) }, (_, index) => {
    const firstSequence = index * eventsPerHead + 1;
    const lastSequence = Math.min(told.length, firstSequence + eventsPerHead - 1);
    const claims = {
      batch: index + 1,
      firstSequence,
      lastSequence,
      previousHash: hashes[firstSequence - 1]!,
      hash: hashes[lastSequence]!,
      sealedAt: new Date(paper.run.quiescedAtMs ?? 0).toISOString(),
    };
    const encoded = (text: string): string => Buffer.from(text).toString('base64url');
    const signed = `${encoded(JSON.stringify({ alg: 'EdDSA', kid }))}.${encoded(canonical(claims))}`;
    return {
      batch: String(claims.batch),
      first_sequence: String(firstSequence),
      last_sequence: String(lastSequence),
      previous_hash: claims.previousHash,
      hash: claims.hash,
      sealed_at: claims.sealedAt,
      kid,
      signature: `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`,
    };
  });
}
