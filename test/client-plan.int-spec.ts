import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CibaClient,
  type ClientCredentials,
  type ClientRegistration,
  type StartRequest,
  type TokenAnswer,
} from '#lib/ciba';
import type { JWTPayload } from 'jose';
import { createCertificateAuthority, type CertificateAuthority } from './support/certificates.js';
import { startScriptedProvider, type IdTokenOptions, type ScriptedProvider } from './support/scripted-provider.js';

/**
 * The modules of the certification plan for CIBA clients, with the cases that carry the same meaning here: every module
 * is there, every case is there, and each that concerns what a client makes of an answer is run, for poll and ping, with a certificate and with private_key_jwt. This certifies nothing: only the suite itself can.
 */

interface Module {
  readonly module: string;
  readonly expects: string;
  readonly notApplicable?: string;
  /** What is wrong with the evidence. */
  readonly problem?: string;
  readonly cases?: readonly { readonly file: string; readonly title: string }[];
}

const { modules } = JSON.parse(readFileSync(join(import.meta.dirname, 'client-plan.json'), 'utf8')) as {
  modules: readonly Module[];
};
const prefix = 'fapi-ciba-id1-client-';
const weekSeconds = 7 * 86_400;

/** How the plan falsifies the ID token; `now` in seconds. */
const falsified: Readonly<Record<string, (now: number) => { claims?: JWTPayload; options?: IdTokenOptions }>> = {
  'invalid-iss-test': () => ({ claims: { iss: 'https://other.example' } }),
  'invalid-aud-test': () => ({ claims: { aud: 'another-client' } }),
  'invalid-secondary-aud-test': () => ({ claims: { aud: ['client-1', 'another-client'] } }),
  'invalid-expired-exp-test': (now) => ({ claims: { exp: now - 360 } }),
  'invalid-iat-is-week-in-past-test': (now) => ({ claims: { iat: now - weekSeconds } }),
  'invalid-missing-aud-test': () => ({ claims: { aud: undefined } }),
  'invalid-missing-exp-test': () => ({ claims: { exp: undefined } }),
  'invalid-missing-iss-test': () => ({ claims: { iss: undefined } }),
  'invalid-signature-test': () => ({}),
  'invalid-null-alg-test': () => ({}),
  'invalid-alternate-alg-test': () => ({}),
};
const accepted: Readonly<Record<string, JWTPayload>> = {
  test: {},
  'valid-aud-as-array-test': { aud: ['client-1'] },
  'no-scope-in-token-endpoint-response-test': {},
};
const refusedStarts: Readonly<Record<string, [status: number, json: object, outcome: object]>> = {
  'invalid-missing-authreqid-test': [200, { expires_in: 60, interval: 5 }, { kind: 'provider-error' }],
  'invalid-missing-expiresin-test': [200, { auth_req_id: 'id-1', interval: 5 }, { kind: 'provider-error' }],
  'invalid-unknown-user-id-test': [400, { error: 'unknown_user_id' }, { kind: 'refused' }],
  'invalid-expired-id-token-hint-test': [400, { error: 'expired_id_token_hint' }, { kind: 'refused' }],
  'invalid-id-token-hint-test': [400, { error: 'invalid_id_token_hint' }, { kind: 'refused' }],
};
const refusedPolls: Readonly<Record<string, [error: string, outcome: object]>> = {
  'invalid-request-test': ['invalid_request', { kind: 'refused', error: { code: 'invalid_request' } }],
  'invalid-access-denied-test': ['access_denied', { kind: 'denied' }],
  'invalid-expired-token-test': ['expired_token', { kind: 'expired' }],
  'slow-down-test': ['slow_down', { kind: 'slow-down' }],
};
/** Where the rhythm and the notification endpoint are what the module is about. */
const elsewhere = ['respects-interval-test', 'ping-with-invalid-bearer-token-test'];

describe('the certification plan for clients (R138)', () => {
  it('has 29 modules; each has cases, or a reason why it does not concern us', () => {
    expect(new Set(modules.map(({ module }) => module)).size).toBe(29);
    const unclear = modules.filter(({ cases = [], notApplicable = '' }) => cases.length > 0 === (notApplicable !== ''));
    expect(unclear).toEqual([]);
  });

  it.each(modules.flatMap(({ module, cases = [] }) => cases.map((one) => [module, one] as const)))(
    '%s is carried by a case that is run: $file',
    (_module, { file, title }) => {
      const path = join(import.meta.dirname, '..', file);
      expect(existsSync(path)).toBe(true);
      expect(readFileSync(path, 'utf8')).toContain(title);
      // Hostile cases are run by their file, specifications by their name.
      expect(file).toMatch(/^test\/hostile\/[\w-]+\.json$|\.(spec|int-spec|e2e-spec)\.ts$/);
    },
  );

  it('is run below, but for what concerns rhythm and notifications', () => {
    const run = [falsified, accepted, refusedStarts, refusedPolls].flatMap((table) => Object.keys(table));
    const named = modules
      .filter(({ notApplicable }) => !notApplicable)
      .map(({ module }) => module.slice(prefix.length));
    expect([...run, ...elsewhere].sort()).toEqual([...named].sort());
  });
});

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const privateKeyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const signingKey = { kid: 'key-1', alg: 'ES256', privateKeyPem } as const;

describe.each([
  ['poll', 'private_key_jwt'],
  ['ping', 'private_key_jwt'],
  ['poll', 'mtls'],
  ['ping', 'mtls'],
] as const)('the plan by %s with %s (R138)', (mode, authentication) => {
  let authority: CertificateAuthority;
  let provider: ScriptedProvider;
  let client: CibaClient;
  let registration: ClientRegistration;

  beforeAll(async () => {
    authority = await createCertificateAuthority('client plan');
    const server = await authority.issue({ commonName: 'op', names: [{ type: 'ip', value: '127.0.0.1' }] });
    provider = await startScriptedProvider({
      tls: {
        cert: server.certificatePem,
        key: server.privateKeyPem,
        ca: authority.certificatePem,
        requestCert: true,
        rejectUnauthorized: false,
      },
      metadata: {
        backchannel_token_delivery_modes_supported: ['poll', 'ping'],
        backchannel_authentication_request_signing_alg_values_supported: ['ES256'],
        id_token_signing_alg_values_supported: ['PS256'],
      },
    });
    await provider.rotateKeys({ alg: 'PS256' });
    client = new CibaClient({ allowInsecureHttp: false });
    const me = await authority.issue({ commonName: 'client-1' });
    const credentials: ClientCredentials =
      authentication === 'mtls'
        ? {
            type: 'mutual-tls',
            certificateChainPem: me.certificatePem,
            privateKeyPem: me.privateKeyPem,
            method: 'tls_client_auth',
          }
        : { type: 'private-key-jwt', signingKey };
    registration = {
      key: 'rule-1.1',
      provider: {
        id: 'op-1.1',
        issuer: provider.issuer,
        metadata: null,
        trustedCertificates: [authority.certificatePem],
        profile: 'generic',
      },
      clientId: 'client-1',
      credentials,
      requestSigning: { keys: [signingKey], alg: null },
      fapi: true,
    };
  }, 60_000);
  afterAll(async () => {
    await client.close();
    await provider.stop();
  });

  const request: StartRequest = {
    scope: 'openid',
    loginHint: 'alice@example.com',
    bindingMessage: 'AB12',
    requestedExpirySeconds: null,
    acrValues: [],
    authorizationDetails: null,
    userCode: null,
    clientNotificationToken: mode === 'ping' ? 'a-token-of-256-bits-in-its-own-time' : null,
    deliveryMode: mode,
  };
  /** Starts a request, takes the answer to the next poll, and judges what came. */
  async function judge(answer: Partial<Record<'id_token' | 'scope', string>>) {
    const sentAt = new Date();
    const started = await client.start(registration, request);
    if (started.kind !== 'acknowledged') throw new Error(JSON.stringify(started));
    provider.on('token', () => ({ json: { access_token: 'access', token_type: 'Bearer', ...answer } }));
    const polled = await client.poll(registration, started.authReqId);
    provider.off('token');
    if (polled.kind !== 'tokens') throw new Error(JSON.stringify(polled));
    return client.verify(
      registration,
      polled.answer satisfies TokenAnswer,
      expectation(sentAt, started.authReqId),
      new Date(),
    );
  }

  const expectation = (sentAt: Date, authReqId: string) => ({
    clientId: 'client-1',
    requestedScope: 'openid',
    sentAt,
    acrValues: [],
    expectedSubject: null,
    authReqId,
  });

  async function falsify(name: string): Promise<string> {
    const { claims, options } = falsified[name]!(Math.floor(Date.now() / 1000));
    const token = await provider.idToken(claims, options);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const relabelled = (alg: string) =>
      Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(header, 'base64url').toString()), alg })).toString(
        'base64url',
      );
    switch (name) {
      case 'invalid-signature-test':
        return `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
      case 'invalid-null-alg-test':
        return `${relabelled('none')}.${payload}.${signature}`;
      case 'invalid-alternate-alg-test':
        return `${relabelled('RS256')}.${payload}.${signature}`;
      default:
        return token;
    }
  }

  it.each(Object.entries(accepted))('%s', async (_name, claims) => {
    expect(await judge({ id_token: await provider.idToken(claims) })).toMatchObject({ kind: 'verified' });
  });

  it.each(Object.keys(falsified))('%s', async (name) => {
    const { problem } = modules.find(({ module }) => module === prefix + name)!;
    expect(await judge({ id_token: await falsify(name) })).toMatchObject({ kind: 'rejected', problem });
  });

  it.each(Object.entries(refusedStarts))('%s', async (_name, [status, json, outcome]) => {
    provider.on('backchannel', () => ({ status, json }));
    expect(await client.start(registration, request)).toMatchObject(outcome);
    provider.off('backchannel');
  });

  it.each(Object.entries(refusedPolls))('%s', async (_name, [error, outcome]) => {
    provider.on('token', () => ({ status: 400, json: { error } }));
    expect(await client.poll(registration, 'id-1')).toMatchObject(outcome);
    provider.off('token');
  });
});
