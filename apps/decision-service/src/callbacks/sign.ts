import { createHmac, sign } from 'node:crypto';
import type { SigningKey } from '#lib/persistence';
import { privateKeyOf } from '../private-key-of.js';

/** What is signed: the id that stays over all attempts, the time of this attempt, the exact bytes of the body. */
export interface WebhookMessage {
  readonly webhookId: string;
  readonly sentAt: Date;
  readonly body: string;
}

/** Nothing to sign with: an unsigned delivery is never sent. */
export class Unsignable extends Error {
  override readonly name = 'Unsignable';
}

/**
 * The headers of a signed delivery (Standard Webhooks 1.0.0): one `v1` (HMAC-SHA256) per secret, and `v1a` (Ed25519)
 * when a key is given, whose `kid` in our JWKS is named in `webhook-key-id`.
 *
 * @throws Unsignable when there is neither secret nor key, or a secret is not of the form `whsec_<base64>`
 */
export function signatureHeaders(
  message: WebhookMessage,
  secrets: readonly string[],
  key: SigningKey | null,
): Record<string, string> {
  const timestamp = String(Math.floor(message.sentAt.getTime() / 1000));
  const content = `${message.webhookId}.${timestamp}.${message.body}`;
  const signatures = [...(key ? [signV1a(content, key)] : []), ...secrets.map((secret) => signV1(content, secret))];
  if (signatures.length === 0) throw new Unsignable('there is no secret to sign with');
  return {
    'webhook-id': message.webhookId,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
    ...(key && { 'webhook-key-id': key.kid }),
  };
}

const secretForm = /^whsec_([A-Za-z0-9+/]{16,}={0,2})$/;

function signV1(content: string, secret: string): string {
  const encoded = secretForm.exec(secret)?.[1];
  if (encoded === undefined) throw new Unsignable('a secret is not of the form whsec_<base64>');
  return `v1,${createHmac('sha256', Buffer.from(encoded, 'base64')).update(content).digest('base64')}`;
}

const signV1a = (content: string, key: SigningKey): string =>
  `v1a,${sign(null, Buffer.from(content), privateKeyOf(key)).toString('base64')}`;
