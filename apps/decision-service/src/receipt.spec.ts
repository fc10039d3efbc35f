import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Decision } from '#lib/contracts';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { receiptClaims, signReceipt } from './receipt.js';

const decision: Decision = {
  id: '01890000-0000-7000-8000-00000000000d',
  authorizationRequestId: '01890000-0000-7000-8000-00000000000a',
  outcome: 'approved',
  reason: null,
  providerError: null,
  rule: { id: '01890000-0000-7000-8000-00000000000b', name: 'Pay', version: 3 },
  decidedAt: '2026-03-01T12:00:00.000Z',
  rejection: null,
  evidence: {
    issuer: 'https://op.example',
    subject: 'alice',
    acr: 'gold',
    amr: ['hwk', 'pin'],
    authTime: 1_772_366_390,
    idTokenSha256: 'hash',
  },
  receipt: null,
  requestHash: 'sha-256-of-the-request',
  metadata: { order: '1' },
};
const issuedAt = new Date('2026-03-01T12:00:01.900Z');

describe('the claims of a receipt', () => {
  it('say who approved what, when and how', () => {
    expect(receiptClaims(decision, 'https://assent.example', issuedAt)).toEqual({
      iss: 'https://assent.example',
      iat: 1_772_366_401,
      jti: decision.id,
      authorization_request_id: decision.authorizationRequestId,
      request_hash: 'sha-256-of-the-request',
      outcome: 'approved',
      sub: 'alice',
      acr: 'gold',
      amr: ['hwk', 'pin'],
      auth_time: 1_772_366_390,
    });
  });

  it('leave out what the provider did not say', () => {
    const silent = { ...decision, evidence: { ...decision.evidence!, acr: null, amr: null, authTime: null } };
    const claims = receiptClaims(silent, 'https://assent.example', issuedAt);

    expect(Object.keys(claims).sort()).toEqual(
      ['authorization_request_id', 'iat', 'iss', 'jti', 'outcome', 'request_hash', 'sub'].sort(),
    );
  });
});

it('is a JWS of its own type that verifies with the public key', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const receipt = await signReceipt(receiptClaims(decision, 'https://assent.example', issuedAt), {
    kid: 'receipt-1',
    alg: 'ES256',
    privateKeyPem,
  });

  expect(decodeProtectedHeader(receipt)).toEqual({ alg: 'ES256', kid: 'receipt-1', typ: 'assent-receipt+jwt' });
  const { payload } = await jwtVerify(receipt, publicKey, { typ: 'assent-receipt+jwt', algorithms: ['ES256'] });
  expect(payload.jti).toBe(decision.id);
});
