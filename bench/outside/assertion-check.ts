import { createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto';

/** What was seen of the assertions that clients authenticate with. */
export interface AssertionReport {
  readonly checked: number;
  /** Wrong in signature, audience or time, or used before. */
  readonly refused: number;
}

/** Of so many assertions one is looked at: a check costs more than all else that the stub does. */
const oneOf = 20;

/** Looks at client assertions as a provider does (RFC 7523 §3), at some of them: ES256, audience, time and one-time id. */
export class AssertionCheck {
  readonly #keys = new Map<string, KeyObject>();
  readonly #used = new Set<string>();
  #seen = 0;
  #checked = 0;
  #refused = 0;

  constructor(
    jwks: readonly (JsonWebKey & { readonly kid?: string })[],
    private readonly audiences: readonly string[],
  ) {
    for (const jwk of jwks) {
      if (jwk.crv === 'P-256') this.#keys.set(jwk.kid ?? '', createPublicKey({ key: jwk, format: 'jwk' }));
    }
  }

  /** Whether the form of a call carries an assertion that is good, as far as it was looked at. */
  accepts(form: string): boolean {
    if (this.#seen++ % oneOf !== 0) return true;
    this.#checked++;
    const good = this.#isGood(new URLSearchParams(form).get('client_assertion') ?? '');
    if (!good) this.#refused++;
    return good;
  }

  report(): AssertionReport {
    return { checked: this.#checked, refused: this.#refused };
  }

  #isGood(assertion: string): boolean {
    const [header = '', payload = '', signature = ''] = assertion.split('.');
    const { kid, alg } = read(header);
    const { aud, exp, jti } = read(payload);
    const key = this.#keys.get(String(kid));
    if (key === undefined || alg !== 'ES256' || typeof jti !== 'string' || this.#used.has(jti)) return false;
    this.#used.add(jti);
    const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
    if (!audiences.some((one) => this.audiences.includes(String(one))) || !(Number(exp) > Date.now() / 1000))
      return false;
    const signed = Buffer.from(`${header}.${payload}`);
    return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
  }
}

function read(part: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}
