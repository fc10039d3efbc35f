import { createPublicKey, verify } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import { Webhook } from 'standardwebhooks';

/** What reached a sink: the exact body, and the headers in lower case. */
export interface ReceivedDelivery {
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Verifies a receipt with Assent's published keys, as anybody could; answers its claims. */
export async function verifyReceipt(assentUrl: string, receipt: string): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', assentUrl));
  const { payload } = await jwtVerify(receipt, keys, { typ: 'assent-receipt+jwt', algorithms: ['ES256'] });
  return payload;
}

/** Verifies a webhook with an independent library of Standard Webhooks; throws when the signature does not fit. */
export function verifyWebhook(secret: string, delivery: ReceivedDelivery): void {
  new Webhook(secret).verify(delivery.body, delivery.headers as Record<string, string>);
}

/** Verifies a callback's Ed25519 signature (`v1a`) with Assent's published keys; throws when none fits. */
export async function verifyCallback(assentUrl: string, { body, headers }: ReceivedDelivery): Promise<void> {
  const answer = await fetch(new URL('/.well-known/jwks.json', assentUrl));
  const { keys } = (await answer.json()) as { keys: Array<Record<string, string>> };
  const signed = Buffer.from(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`);
  const signatures = String(headers['webhook-signature'])
    .split(' ')
    .filter((signature) => signature.startsWith('v1a,'))
    .map((signature) => Buffer.from(signature.slice(4), 'base64'));
  const fits = keys
    .filter((key) => key['kty'] === 'OKP')
    .map((key) => createPublicKey({ key, format: 'jwk' }))
    .some((key) => signatures.some((signature) => verify(null, signed, key, signature)));
  if (!fits) throw new Error('No Ed25519 signature of this callback fits a published key.');
}
