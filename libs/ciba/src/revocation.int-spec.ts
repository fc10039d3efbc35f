import { afterEach, describe, expect, it } from '@jest/globals';
import { createCertificateAuthority } from '../../../test/support/certificates.js';
import {
  startScriptedProvider,
  type ScriptedProvider,
  type ScriptedProviderOptions,
  type ScriptedReply,
} from '../../../test/support/scripted-provider.js';
import { CibaClient, type ClientCredentials, type ClientRegistration, type TokenAnswer } from './index.js';

const answer: TokenAnswer = {
  accessToken: 'access token',
  tokenType: 'Bearer',
  expiresInSeconds: 300,
  scope: null,
  idToken: 'id token',
  refreshToken: 'refresh token',
  authorizationDetails: null,
};
const secret: ClientCredentials = { type: 'secret', clientSecret: 's3cret', method: 'client_secret_basic' };
const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function aProvider(options: ScriptedProviderOptions = {}, offered = true): Promise<ScriptedProvider> {
  const provider = await startScriptedProvider(options);
  if (offered) provider.metadata['revocation_endpoint'] = `${provider.issuer}/revocation`;
  cleanUps.push(() => provider.stop());
  return provider;
}

function aClient({ allowInsecureHttp = true, revocationTimeoutMs = 5_000 } = {}): {
  client: CibaClient;
  lines: unknown[];
} {
  const lines: unknown[] = [];
  const log = (...line: unknown[]) => void lines.push(line);
  const client = new CibaClient({ allowInsecureHttp, revocationTimeoutMs, log });
  cleanUps.push(() => client.close());
  return { client, lines };
}

const registered = (
  { issuer }: ScriptedProvider,
  credentials: ClientCredentials = secret,
  trustedCertificates: readonly string[] = [],
): ClientRegistration => ({
  key: 'rule-1.1',
  clientId: 'client-1',
  credentials,
  provider: { id: 'op-1.1', issuer, metadata: null, trustedCertificates, profile: 'generic' },
});

describe('a revocation (R136)', () => {
  it('is sent for both tokens with hints and the client’s authentication (R136)', async () => {
    const provider = await aProvider();
    const { client } = aClient();
    expect(await client.revoke(registered(provider), answer, 'interaction-1')).toBe('revoked');
    const calls = provider.calls('revocation');
    expect(calls.map(({ form }) => Object.fromEntries(form))).toEqual(
      expect.arrayContaining([
        { token: 'refresh token', token_type_hint: 'refresh_token' },
        { token: 'access token', token_type_hint: 'access_token' },
      ]),
    );
    expect(calls).toHaveLength(2);
    for (const { headers } of calls) {
      expect(headers.authorization).toBe(`Basic ${Buffer.from('client-1:s3cret').toString('base64')}`);
      expect(headers['x-fapi-interaction-id']).toBe('interaction-1');
    }
  });

  it('is sent for the access token alone when there is no refresh token (R136)', async () => {
    const provider = await aProvider();
    expect(await aClient().client.revoke(registered(provider), { ...answer, refreshToken: null })).toBe('revoked');
    expect(provider.calls('revocation').map(({ form }) => form.get('token'))).toEqual(['access token']);
  });

  it.each<[string, unknown]>([
    ['is not offered', undefined],
    ['has an address that may not be called', 'ftp://op.example/revocation'],
    ['has an address with credentials', 'https://me:secret@op.example/revocation'],
  ])('is not sent where it %s; the client works all the same (R136)', async (_why, address) => {
    const provider = await aProvider({}, false);
    provider.metadata['revocation_endpoint'] = address;
    const { client } = aClient();
    expect(await client.revoke(registered(provider), answer)).toBe('not-offered');
    expect((await client.poll(registered(provider), 'id-1')).kind).toBe('invalid-grant');
    expect(provider.calls('revocation')).toEqual([]);
  });

  it.each<[string, ScriptedReply]>([
    ['is refused', { status: 400, json: { error: 'unsupported_token_type', error_description: 'access token' } }],
    ['fails', { status: 503 }],
    ['is answered by a redirect, which is not followed', { status: 302, headers: { location: '/token' } }],
    ['hangs', { hang: true }],
    ['is cut off', { reset: true }],
    ['is answered endlessly', { body: Buffer.alloc(1_000_000, 'x'), status: 400 }],
  ])('that %s changes nothing, is not repeated, and logs nothing (R136)', async (_what, reply) => {
    const provider = await aProvider();
    provider.on('revocation', () => reply);
    const { client, lines } = aClient({ revocationTimeoutMs: 1_000 });
    expect(await client.revoke(registered(provider), answer)).toBe('failed');
    expect(provider.calls('revocation')).toHaveLength(2);
    expect(provider.calls('token')).toEqual([]);
    expect(lines).toEqual([]);
  });

  it('never rejects, not even with nobody there (R136)', async () => {
    const provider = await aProvider();
    const registration = registered(provider);
    await provider.goAway();
    expect(await aClient().client.revoke(registration, answer)).toBe('failed');
  });

  it('shows the client’s certificate at the alias (R136)', async () => {
    const authority = await createCertificateAuthority('Test Authority');
    const server = await authority.issue({ commonName: 'op', names: [{ type: 'ip', value: '127.0.0.1' }] });
    const tls = {
      cert: server.certificatePem,
      key: server.privateKeyPem,
      ca: authority.certificatePem,
      requestCert: true,
      rejectUnauthorized: false,
    };
    const aliased = await aProvider({ tls });
    const provider = await aProvider({ tls });
    provider.metadata['mtls_endpoint_aliases'] = { revocation_endpoint: `${aliased.issuer}/revocation` };
    const me = await authority.issue({ commonName: 'client-1' });
    const registration = registered(
      provider,
      { type: 'mutual-tls', certificateChainPem: me.certificatePem, privateKeyPem: me.privateKeyPem, method: null },
      [authority.certificatePem],
    );
    const { client } = aClient({ allowInsecureHttp: false });
    expect(await client.revoke(registration, { ...answer, refreshToken: null })).toBe('revoked');
    expect(provider.calls('revocation')).toEqual([]);
    const [call] = aliased.calls('revocation');
    expect(call!.clientCertificateFingerprint).toBe(me.fingerprint256);
    expect(call!.form.get('client_id')).toBe('client-1');
  });
});
