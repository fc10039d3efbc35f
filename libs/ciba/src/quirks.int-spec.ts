/** Peculiarities of known providers (docs/providers.md) that show in what goes out, by their numbers. */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startScriptedProvider, type ScriptedProvider } from '../../../test/support/scripted-provider.js';
import { CibaClient, type ClientCredentials, type ClientRegistration, type StartRequest } from './index.js';

let provider: ScriptedProvider;
let client: CibaClient;

beforeAll(async () => {
  provider = await startScriptedProvider();
  client = new CibaClient({ allowInsecureHttp: true });
});

afterAll(async () => {
  await client.close();
  await provider.stop();
});

const secret: ClientCredentials = { type: 'secret', clientSecret: 's3cret', method: null };

const aRegistration = (
  profile: ClientRegistration['provider']['profile'],
  credentials: ClientCredentials = secret,
): ClientRegistration => ({
  key: `rule-${profile}`,
  clientId: 'client-1',
  credentials,
  provider: { id: `op-${profile}`, issuer: provider.issuer, metadata: null, trustedCertificates: [], profile },
});

const aRequest = (change: Partial<StartRequest> = {}): StartRequest => ({
  scope: 'openid pay',
  loginHint: 'alice@example.com',
  bindingMessage: null,
  requestedExpirySeconds: 60,
  acrValues: [],
  authorizationDetails: null,
  userCode: null,
  clientNotificationToken: null,
  ...change,
});

const lastForm = (endpoint: 'backchannel' | 'token') => provider.calls(endpoint).at(-1)!.form;

const ownKey: ClientCredentials = {
  type: 'private-key-jwt',
  signingKey: {
    kid: 'key-1',
    alg: 'ES256',
    privateKeyPem: generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .privateKey.export({ format: 'pem', type: 'pkcs8' })
      .toString(),
  },
};

describe('a client of', () => {
  it.each([
    ['generic', () => [provider.issuer, provider.issuer]],
    ['okta', () => [`${provider.issuer}/backchannel`, `${provider.issuer}/token`]],
    ['wso2', () => [`${provider.issuer}/token`, `${provider.issuer}/token`]],
  ] as const)('%s names in its assertions the audience that is wanted there (Q34)', async (profile, expected) => {
    const registration = { ...aRegistration(profile, ownKey), key: `assertion-${profile}` };
    await client.start(registration, aRequest());
    await client.poll(registration, 'id-1');
    const audience = (endpoint: 'backchannel' | 'token') =>
      decodeJwt(lastForm(endpoint).get('client_assertion') ?? '').aud;
    expect([audience('backchannel'), audience('token')]).toEqual(expected());
  });

  it('Okta asks for request_expiry, and names the scope again at the token endpoint (Q15)', async () => {
    const okta = aRegistration('okta');
    await client.start(okta, aRequest());
    expect(lastForm('backchannel').get('request_expiry')).toBe('60');
    expect(lastForm('backchannel').has('requested_expiry')).toBe(false);
    await client.poll(okta, 'id-1', 'openid pay');
    expect(lastForm('token').get('scope')).toBe('openid pay');
    await client.poll(aRegistration('generic'), 'id-1', 'openid pay');
    expect(lastForm('token').has('scope')).toBe(false);
  });

  it('Auth0 is told that a denial may be an expiry (Q2)', async () => {
    provider.on('token', () => ({ status: 400, json: { error: 'access_denied' } }));
    expect(await client.poll(aRegistration('auth0'), 'id-1')).toMatchObject({ kind: 'denied', orExpired: true });
    expect(await client.poll(aRegistration('generic'), 'id-1')).toEqual({ kind: 'denied', description: null });
    provider.off('token');
  });

  it('PingOne cannot come with a certificate, and says so before anybody is asked (Q37)', async () => {
    const certificate: ClientCredentials = {
      type: 'mutual-tls',
      certificateChainPem: 'never read',
      privateKeyPem: 'never read',
      method: null,
    };
    const calls = provider.ledger.length;
    expect(await client.start(aRegistration('pingone', certificate), aRequest())).toMatchObject({
      kind: 'misconfigured',
    });
    const backchannelCalls = provider.ledger.slice(calls).filter(({ endpoint }) => endpoint === 'backchannel');
    expect(backchannelCalls).toEqual([]);
  });

  it('a provider without ping sends no notification token; asking for ping is misconfigured (Q33)', async () => {
    delete provider.metadata['backchannel_token_delivery_modes_supported'];
    const ping = aRequest({ clientNotificationToken: 'n'.repeat(32) });
    expect(
      await client.start(
        { ...aRegistration('okta'), provider: { ...aRegistration('okta').provider, id: 'fresh' } },
        ping,
      ),
    ).toMatchObject({ kind: 'misconfigured' });
  });

  it('Keycloak in poll mode sends neither a notification token nor a user code (Q16, R16)', async () => {
    await client.start(aRegistration('keycloak'), aRequest());
    expect(lastForm('backchannel').has('client_notification_token')).toBe(false);
    expect(lastForm('backchannel').has('user_code')).toBe(false);
  });

  it('a provider that puts WWW-Authenticate beside its error still reads the error (Q40)', async () => {
    const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
    provider.on('token', () => ({ status: 401, headers, json: { error: 'authorization_pending' } }));
    expect(await client.poll(aRegistration('generic'), 'id-1')).toMatchObject({ kind: 'pending' });
    provider.off('token');
  });

  it('anybody polls once for each call: no loop runs on in memory (Q41)', async () => {
    const calls = provider.calls('token').length;
    await client.poll(aRegistration('generic'), 'id-1');
    expect(provider.calls('token')).toHaveLength(calls + 1);
  });

  it('the certification suite returns the id exactly, however it looks (Q28)', async () => {
    const authReqId = "a+b/c=d&e%f g~h'i(j)*k!é";
    await client.poll(aRegistration('generic'), authReqId);
    expect(lastForm('token').get('auth_req_id')).toBe(authReqId);
  });
});
