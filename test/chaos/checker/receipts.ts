import { compactVerify, importJWK, type CryptoKey, type JWK } from 'jose';
import type { DecisionRow } from './database-rows.js';
import type { History } from './history.js';
import { sameHash } from './invariants/i04-approved-by-evidence.js';
import type { Findings } from './judgement.js';

const receiptType = 'assent-receipt+jwt';

/** Holds the receipt of every approval against the published keys and against its decision. */
export async function judgeReceipts(history: History, findings: Findings): Promise<void> {
  const keys = new Map<string, CryptoKey | Uint8Array>();
  for (const jwk of history.run.jwks) {
    // The set also has keys that tokens are encrypted to; they sign nothing.
    if (typeof jwk['kid'] !== 'string' || jwk['use'] === 'enc') continue;
    keys.set(jwk['kid'], await importJWK(jwk as JWK, jwk['alg'] as string | undefined));
  }
  for (const decision of history.decisions) {
    if (decision.outcome !== 'approved') continue;
    const problem = await problemOf(decision, keys, history.run.settings.publicUrl);
    findings.expect(problem === null, decision.requestId, problem ?? '');
  }
}

async function problemOf(
  { id, requestId, document }: DecisionRow,
  keys: ReadonlyMap<string, CryptoKey | Uint8Array>,
  issuer: string,
): Promise<string | null> {
  if (typeof document.receipt !== 'string') return 'an approval without a receipt';
  try {
    const { payload, protectedHeader } = await compactVerify(document.receipt, ({ kid }) => {
      const key = keys.get(kid ?? '');
      if (key === undefined) throw new Error(`the key ${kid} was never published`);
      return key;
    });
    if (protectedHeader.typ !== receiptType) return `a receipt of the type ${protectedHeader.typ}`;
    const claims = JSON.parse(Buffer.from(payload).toString('utf8')) as Readonly<Record<string, unknown>>;
    const fits =
      claims['iss'] === issuer &&
      claims['jti'] === id &&
      claims['authorization_request_id'] === requestId &&
      claims['outcome'] === 'approved' &&
      sameHash(claims['request_hash'], document.requestHash) &&
      claims['sub'] === document.evidence?.subject;
    return fits ? null : 'a receipt that says something else than its decision';
  } catch (error) {
    return `a receipt that does not verify: ${(error as Error).message}`;
  }
}
