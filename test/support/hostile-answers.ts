import { createHash, createHmac, constants, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { HostileIdToken, HostileReply } from './hostile-case.js';
import type { ScriptedReply } from './scripted-provider.js';

/** The secret of every client at the hostile provider, and so a key that a forger may try. */
export const hostileClientSecret = 'correct horse battery staple';

/** What the placeholders of a case stand for. */
export interface AnswerContext {
  readonly issuer: string;
  readonly clientId: string;
  readonly loginHint: string;
  readonly authReqId: string;
  readonly notificationToken: string;
  /** The base address of a server that is not there. */
  readonly nowhere: string;
  readonly firstIdToken: string | null;
  readonly intervalSeconds: number;
  readonly expiresInSeconds: number;
}

/** What is known once the tokens are there. */
interface FilledContext extends AnswerContext {
  readonly accessToken: string;
  readonly idToken?: string;
}

interface Key {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly alg: string;
}

const elliptic = (alg: string, namedCurve: string): Key => ({ ...generateKeyPairSync('ec', { namedCurve }), alg });
const rsa = (alg: string, modulusLength: number): Key => ({ ...generateKeyPairSync('rsa', { modulusLength }), alg });
const keys: Readonly<Record<string, Key>> = {
  own: elliptic('ES256', 'P-256'),
  stranger: elliptic('ES256', 'P-256'),
  p384: elliptic('ES384', 'P-384'),
  rsa: rsa('RS256', 2048),
  pss: rsa('PS256', 2048),
  'weak-rsa': rsa('RS256', 1024),
  ed25519: { ...generateKeyPairSync('ed25519'), alg: 'EdDSA' },
};

/** Makes what goes on the wire of what a case says. */
export function hostileAnswer(reply: HostileReply, context: AnswerContext): ScriptedReply & { idToken: string | null } {
  const { headers = {}, delayMs, cutAfterBytes, reset, hang, stall, raw } = reply;
  const travel = {
    ...(delayMs !== undefined && { delayMs }),
    ...(cutAfterBytes !== undefined && { cutAfterBytes }),
    ...(reset !== undefined && { reset }),
    ...(hang !== undefined && { hang }),
    ...(stall !== undefined && { stall }),
  };
  if (raw !== undefined) return { ...travel, rawBytes: fill(raw, context), idToken: null };
  const { content, status, idToken } = contentOf(reply, context);
  const body = reply.gzip ? gzipSync(content) : content;
  return {
    status: reply.status ?? status,
    headers: {
      ...(reply.gzip && { 'content-encoding': 'gzip' }),
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value, context)])),
    },
    body,
    ...travel,
    idToken,
  };
}

/** The members of a token answer or a push. */
export function hostileTokens(
  changes: Readonly<Record<string, unknown>>,
  faults: HostileIdToken,
  context: AnswerContext,
): { members: Record<string, unknown>; idToken: string } {
  const accessToken = typeof changes['access_token'] === 'string' ? changes['access_token'] : randomUUID();
  const idToken = hostileIdToken(faults, accessToken, context);
  const usual = { access_token: accessToken, token_type: 'Bearer', expires_in: 300, id_token: idToken };
  const filled: FilledContext = { ...context, accessToken, idToken };
  return { members: merge(usual, changes, filled), idToken };
}

/** Puts the values in the place of `{{names}}` and of objects with one `$name`. */
export function expand(value: unknown, context: AnswerContext): unknown {
  if (typeof value === 'string') return fill(value, context);
  if (Array.isArray(value)) return value.map((item) => expand(item, context));
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Record<string, unknown>;
  const argument = Object.values(object)[0];
  switch (Object.keys(object).join()) {
    case '$repeat': {
      const [text, times] = argument as [string, number];
      return text.repeat(times);
    }
    case '$now':
      return Math.floor(Date.now() / 1000) + (argument as number);
    case '$nowText':
      return String(Math.floor(Date.now() / 1000) + (argument as number));
    case '$nested':
      return JSON.parse('['.repeat(argument as number) + ']'.repeat(argument as number)) as unknown;
    case '$halfHash': {
      const [alg, text] = argument as [string, string];
      return halfHash(alg, text);
    }
    case '$atHash':
      return halfHash(argument as string, String((context as { accessToken?: string }).accessToken));
    default:
      return Object.fromEntries(Object.entries(object).map(([name, item]) => [name, expand(item, context)]));
  }
}

function contentOf(
  reply: HostileReply,
  context: AnswerContext,
): { content: Buffer; status: number; idToken: string | null } {
  const { before = '', behind = '' } = reply;
  const pack = (value: unknown, status = 200, idToken: string | null = null) => ({
    content: Buffer.from(fill(before, context) + JSON.stringify(value) + fill(behind, context)),
    status,
    idToken,
  });
  if (reply.ack !== undefined) {
    const usual = {
      auth_req_id: context.authReqId,
      expires_in: context.expiresInSeconds,
      interval: context.intervalSeconds,
    };
    return pack(merge(usual, reply.ack, context));
  }
  if (reply.tokens !== undefined || reply.idToken !== undefined) {
    const { members, idToken } = hostileTokens(reply.tokens ?? {}, reply.idToken ?? {}, context);
    return pack(members, 200, idToken);
  }
  if (reply.error !== undefined) {
    const { description } = reply;
    const text = description === undefined ? {} : { error_description: fill(description, context) };
    return pack({ error: expand(reply.error, context), ...text }, 400);
  }
  if (reply.keys !== undefined) return pack({ keys: reply.keys.map((key) => publicKey(key, context)) });
  if (reply.metadata !== undefined) return pack(merge(standardMetadata(context), reply.metadata, context));
  if (reply.base64 !== undefined) return { content: Buffer.from(reply.base64, 'base64'), status: 200, idToken: null };
  if (reply.body !== undefined) {
    const text = fill(before, context) + fill(reply.body, context) + fill(behind, context);
    return { content: Buffer.from(text), status: 200, idToken: null };
  }
  return pack(expand(reply.json ?? null, context));
}

/** What the hostile provider says about itself when it is not lying. */
export function standardMetadata({ issuer }: Pick<AnswerContext, 'issuer'>): Record<string, unknown> {
  return {
    issuer,
    token_endpoint: `${issuer}/token`,
    backchannel_authentication_endpoint: `${issuer}/start`,
    jwks_uri: `${issuer}/jwks`,
    grant_types_supported: ['urn:openid:params:grant-type:ciba'],
    backchannel_token_delivery_modes_supported: ['poll', 'ping', 'push'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    id_token_signing_alg_values_supported: ['ES256', 'PS256', 'RS256', 'EdDSA'],
  };
}

function publicKey(named: string | Record<string, unknown>, context: AnswerContext): unknown {
  const { of, ...changes } = typeof named === 'string' ? { of: named } : named;
  const key = typeof of === 'string' ? keys[of] : undefined;
  if (key === undefined) return expand(changes, context);
  const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: of, alg: key.alg, use: 'sig' };
  return merge(jwk, changes, context);
}

function hostileIdToken(faults: HostileIdToken, accessToken: string, context: AnswerContext): string {
  if (faults.again === true && context.firstIdToken !== null) return context.firstIdToken;
  const { key: keyName = 'own' } = faults;
  const now = Math.floor(Date.now() / 1000);
  const usual = {
    iss: context.issuer,
    sub: context.loginHint,
    aud: context.clientId,
    iat: now,
    exp: now + 300,
    auth_time: now,
    jti: randomUUID(),
  };
  const filled: FilledContext = { ...context, accessToken };
  const header = merge({ alg: keys[keyName]?.alg ?? 'HS256', kid: keyName }, faults.header ?? {}, filled);
  const claims = merge(usual, faults.claims ?? {}, filled);
  const parts = [faults.rawHeader ?? JSON.stringify(header), faults.rawClaims ?? JSON.stringify(claims)];
  const signed = parts.map((part) => Buffer.from(fill(part, filled)).toString('base64url')).join('.');
  const signature = signatureOf(keyName, faults.signature === 'of-other-claims' ? `${signed}x` : signed);
  return `${faults.before ?? ''}${signed}.${spoil(signature, faults.signature)}${faults.behind ?? ''}`;
}

function signatureOf(keyName: string, input: string): Buffer {
  const text = Buffer.from(input);
  if (keyName === 'client-secret') return createHmac('sha256', hostileClientSecret).update(text).digest();
  if (keyName === 'public-key') {
    const pem = keys['own']!.publicKey.export({ format: 'pem', type: 'spki' });
    return createHmac('sha256', pem).update(text).digest();
  }
  const { privateKey, alg } = keys[keyName]!;
  switch (alg) {
    case 'ES256':
      return sign('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    case 'ES384':
      return sign('sha384', text, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    case 'PS256':
      return sign('sha256', text, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    case 'EdDSA':
      return sign(null, text, privateKey);
    default:
      return sign('sha256', text, privateKey);
  }
}

function spoil(signature: Buffer, fault: HostileIdToken['signature']): string {
  switch (fault) {
    case 'none':
      return '';
    case 'zeros':
      return Buffer.alloc(signature.length).toString('base64url');
    case 'short':
      return signature.subarray(0, signature.length / 2).toString('base64url');
    case 'changed':
      signature[0] = signature[0]! ^ 1;
      return signature.toString('base64url');
    case 'of-other-claims':
    case undefined:
      return signature.toString('base64url');
  }
}

/** `{"$absent": true}` takes a member away. */
function merge(
  usual: object,
  changes: Readonly<Record<string, unknown>>,
  context: AnswerContext,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...usual };
  for (const [name, change] of Object.entries(changes)) {
    if (JSON.stringify(change) === '{"$absent":true}') delete merged[name];
    else merged[name] = expand(change, context);
  }
  return merged;
}

function fill(text: string, context: object): string {
  const values = context as Readonly<Record<string, string | number | null | undefined>>;
  return text.replace(/\{\{(\w+)\}\}/g, (_whole, name: string) => {
    if (name === 'ISSUER') return String(values['issuer']).toUpperCase();
    if (values[name] === undefined || values[name] === null) throw new Error(`{{${name}}} stands for nothing here`);
    return String(values[name]);
  });
}

function halfHash(alg: string, text: string): string {
  const digest = createHash(alg).update(text).digest();
  return digest.subarray(0, digest.length / 2).toString('base64url');
}
