import { signJwt } from '#lib/ciba';
import type { Decision } from '#lib/contracts';
import type { SigningKey } from '#lib/persistence';
import type { JWTPayload } from 'jose';
import { privateKeyOf } from './private-key-of.js';

/** The media type of a receipt (RFC 8725 §3.11), so that no other JWT of ours can pass for one. */
export const receiptType = 'assent-receipt+jwt';

/** What a receipt says of an approval; values that the provider did not give are left out. */
export function receiptClaims(decision: Decision, issuer: string, issuedAt: Date): JWTPayload {
  const { evidence } = decision;
  const claims = {
    iss: issuer,
    iat: Math.floor(issuedAt.getTime() / 1000),
    jti: decision.id,
    authorization_request_id: decision.authorizationRequestId,
    request_hash: decision.requestHash,
    outcome: decision.outcome,
    sub: evidence?.subject ?? null,
    acr: evidence?.acr ?? null,
    amr: evidence?.amr ?? null,
    auth_time: evidence?.authTime ?? null,
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
}

/** Signs a receipt (JWS, compact) that anyone can verify with the key of this `kid` in our JWKS. */
export async function signReceipt(claims: JWTPayload, key: SigningKey): Promise<string> {
  return signJwt({ alg: key.alg, kid: key.kid, typ: receiptType }, claims, privateKeyOf(key));
}
