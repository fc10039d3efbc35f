import { describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose';
import { DpopProver } from './dpop.js';
import type { Exchange } from './exchange.js';

const url = 'https://op.example/token?tenant=1';
const now = () => new Date('2026-05-04T10:00:00Z');
const answered = (status: number, error: string, dpopNonce: string | null = null): Exchange => ({
  kind: 'answered',
  answer: { status, retryAfter: null, dpopNonce, body: new Map([['error', error]]) },
});

/** A token endpoint that gives these answers in turn, and the proofs that it got. */
async function proofs(prover: DpopProver, ...answers: Exchange[]) {
  const sent: string[] = [];
  const result = await prover.send(async ([name, proof]) => {
    expect(name).toBe('dpop');
    sent.push(proof ?? '');
    return answers[sent.length - 1] ?? answered(500, 'too_many_calls');
  }, 1_000);
  const read = await Promise.all(sent.map((proof) => jwtVerify(proof, EmbeddedJWK, { currentDate: now() })));
  return { result, payloads: read.map(({ payload }) => payload), sent };
}

describe('a proof of possession', () => {
  it('names the call, and shows the public key only (R130)', async () => {
    const { payloads, sent } = await proofs(new DpopProver(url, now), answered(400, 'authorization_pending'));
    expect(payloads).toEqual([
      { jti: expect.any(String), htm: 'POST', htu: 'https://op.example/token', iat: now().getTime() / 1000 },
    ]);
    const { typ, alg, jwk } = decodeProtectedHeader(sent[0] ?? '');
    expect([typ, alg, jwk]).toEqual(['dpop+jwt', 'ES256', expect.not.objectContaining({ d: expect.anything() })]);
  });

  it('is made once more with the nonce that the provider wants, and keeps it for the next call (R130)', async () => {
    const prover = new DpopProver(url, now);
    const pending = answered(400, 'authorization_pending');
    const first = await proofs(prover, answered(400, 'use_dpop_nonce', 'n-1'), pending);
    expect(first.result).toBe(pending);
    expect(first.payloads.map(({ nonce }) => nonce)).toEqual([undefined, 'n-1']);
    expect(new Set(first.payloads.map(({ jti }) => jti)).size).toBe(2);
    const next = await proofs(prover, pending);
    expect(next.payloads.map(({ nonce }) => nonce)).toEqual(['n-1']);
  });

  it.each<[string, Exchange[], number]>([
    ['wants a nonce again', [answered(400, 'use_dpop_nonce', 'n-1'), answered(400, 'use_dpop_nonce', 'n-2')], 2],
    ['wants a nonce and gives none', [answered(400, 'use_dpop_nonce')], 1],
    ['gives a nonce that cannot be sent', [answered(400, 'use_dpop_nonce', 'a b')], 1],
    ['gives a nonce beside another error', [answered(400, 'slow_down', 'n-1')], 1],
    ['may have lost the answer', [{ kind: 'lost', detail: 'cut' }], 1],
  ])('is not made without end when the provider %s (R130)', async (_what, answers, calls) => {
    const { result, sent } = await proofs(new DpopProver(url, now), ...answers);
    expect(sent).toHaveLength(calls);
    expect(result).toBe(answers.at(-1));
  });
});
