import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { JWK } from 'jose';
import { readErrorCode } from './answer-fields.js';
import type { Exchange } from './exchange.js';
import { signJwt } from './sign-jwt.js';

/** A nonce that a provider may ask for; longer ones, and what cannot stand in a header, are none (RFC 9449 §8). */
const usableNonce = /^[\x21\x23-\x5B\x5D-\x7E]{1,1024}$/;

/** Makes one call; the headers come in addition, names and values in turn. */
export type Send = (headers: readonly string[], timeoutMs: number) => Promise<Exchange>;

/**
 * Proves possession of a key at one token endpoint (RFC 9449). The key lives as long as this object and is known to
 * nobody else: a token that is bound to it is of no use to whoever gets hold of it.
 */
export class DpopProver {
  private readonly pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  private readonly jwk = this.pair.publicKey.export({ format: 'jwk' }) as JWK;
  private nonce: string | null = null;

  constructor(
    private readonly url: string,
    private readonly now: () => Date,
  ) {}

  /**
   * Makes a call with a proof, and repeats it once when the provider wants its nonce in it: such a call has not been
   * looked at, so that the repetition is no early poll (RFC 9449 §8).
   */
  async send(call: Send, timeoutMs: number): Promise<Exchange> {
    const startedAtMs = performance.now();
    const first = await this.once(call, timeoutMs);
    if (!this.wantsNonce(first)) return first;
    return this.once(call, Math.max(1, timeoutMs - (performance.now() - startedAtMs)));
  }

  private async once(call: Send, timeoutMs: number): Promise<Exchange> {
    const result = await call(['dpop', await this.proof()], timeoutMs);
    const offered = result.kind === 'answered' ? (result.answer.dpopNonce ?? null) : null;
    if (offered !== null && usableNonce.test(offered)) this.nonce = offered;
    return result;
  }

  private wantsNonce(result: Exchange): boolean {
    if (result.kind !== 'answered' || this.nonce === null) return false;
    const { status, body, dpopNonce } = result.answer;
    return status < 500 && readErrorCode(body) === 'use_dpop_nonce' && dpopNonce === this.nonce;
  }

  private proof(): Promise<string> {
    const { origin, pathname } = new URL(this.url);
    const claims = {
      jti: randomUUID(),
      htm: 'POST',
      htu: origin + pathname,
      ...(this.nonce !== null && { nonce: this.nonce }),
      iat: Math.floor(this.now().getTime() / 1000),
    };
    return signJwt({ typ: 'dpop+jwt', alg: 'ES256', jwk: this.jwk }, claims, this.pair.privateKey);
  }
}
