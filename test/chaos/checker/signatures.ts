/** Signatures of deliveries, checked without the code that made them. */

import { createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { RunFacts, WebhookLine } from './history-lines.js';

/** What is signed: id, time and body. */
export type Signed = Pick<WebhookLine, 'headers' | 'body'>;

/** Checks `v1` by the library of Standard Webhooks and `v1a` by Ed25519 of the platform. */
export class Signatures {
  readonly #keys = new Map<string, KeyObject>();
  readonly #webhooks = new Map<string, Webhook>();

  constructor({ jwks }: Pick<RunFacts, 'jwks'>) {
    for (const jwk of jwks) {
      if (jwk['kty'] === 'OKP') {
        this.#keys.set(String(jwk['kid']), createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }));
      }
    }
  }

  /** Whether one of the signatures is the HMAC under this secret. */
  fitsSecret({ headers, body }: Signed, secret: string): boolean {
    const timestamp = timestampMs(headers);
    if (Number.isNaN(timestamp)) return false;
    let webhook = this.#webhooks.get(secret);
    if (webhook === undefined) this.#webhooks.set(secret, (webhook = new Webhook(secret)));
    // Signed anew, for the library's own check of the time would compare it with today.
    return signaturesIn(headers).includes(webhook.sign(headers['webhook-id'] ?? '', new Date(timestamp), body));
  }

  /** Whether one of the signatures is by the published key that the headers name. */
  fitsPublishedKey({ headers, body }: Signed): boolean {
    const key = this.#keys.get(headers['webhook-key-id'] ?? '');
    if (key === undefined) return false;
    const content = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
    return signaturesIn(headers)
      .filter((signature) => signature.startsWith('v1a,'))
      .some((signature) => verify(null, content, key, Buffer.from(signature.slice(4), 'base64')));
  }
}

/** The time that a delivery claims, in ms; NaN when it claims none. */
export const timestampMs = (headers: Signed['headers']): number =>
  /^\d{1,12}$/.test(headers['webhook-timestamp'] ?? '') ? Number(headers['webhook-timestamp']) * 1000 : Number.NaN;

const signaturesIn = (headers: Signed['headers']): string[] => (headers['webhook-signature'] ?? '').split(' ');
