import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startScriptedProvider, type ScriptedProvider } from '../../../test/support/scripted-provider.js';
import { CibaClient, type ClientRegistration } from './index.js';

/** What a registration with `fapi` refuses by itself, whatever a rule says. */
describe('a registration held to FAPI-CIBA', () => {
  let provider: ScriptedProvider;
  let client: CibaClient;

  beforeAll(async () => {
    provider = await startScriptedProvider({
      metadata: { backchannel_authentication_request_signing_alg_values_supported: ['ES256'] },
    });
    client = new CibaClient({ allowInsecureHttp: true });
  });
  afterAll(async () => {
    await client.close();
    await provider.stop();
  });

  const privateKeyPem = (type: 'ES256' | 'EdDSA') => {
    const pair = type === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
    return pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  };
  const signingKey = { kid: 'key-1', alg: 'ES256', privateKeyPem: privateKeyPem('ES256') } as const;
  const edKey = { kid: 'key-2', alg: 'EdDSA', privateKeyPem: privateKeyPem('EdDSA') } as const;
  let registrations = 0;
  const aRegistration = (over: Partial<ClientRegistration> = {}): ClientRegistration => ({
    key: `rule-${(registrations += 1)}`,
    provider: { id: 'op-1.1', issuer: provider.issuer, metadata: null, trustedCertificates: [], profile: 'generic' },
    clientId: 'client-1',
    credentials: { type: 'private-key-jwt', signingKey },
    requestSigning: { keys: [signingKey], alg: null },
    fapi: true,
    ...over,
  });
  const request = {
    scope: 'openid',
    loginHint: 'alice@example.com',
    bindingMessage: 'Pay',
    requestedExpirySeconds: null,
    acrValues: [],
    authorizationDetails: null,
    userCode: null,
    clientNotificationToken: null,
  };

  it('starts as it should', async () => {
    expect((await client.start(aRegistration(), request)).kind).toBe('acknowledged');
  });

  it.each<[string, Partial<ClientRegistration>]>([
    ['a client secret (R115, R120)', { credentials: { type: 'secret', clientSecret: 's3cret', method: null } }],
    ['requests that are not signed (R118)', { requestSigning: null }],
    ['keys of other algorithms (R120)', { credentials: { type: 'private-key-jwt', signingKey: edKey } }],
  ])('calls nobody with %s', async (_what, over) => {
    const calls = provider.calls('backchannel').length;
    expect((await client.start(aRegistration(over), request)).kind).toBe('misconfigured');
    expect(provider.calls('backchannel')).toHaveLength(calls);
  });

  it.each([
    ['EdDSA', true, { kind: 'rejected', problem: 'algorithm' }],
    ['RS256', true, { kind: 'rejected', problem: 'algorithm' }],
    ['PS256', true, { kind: 'verified' }],
    ['EdDSA', false, { kind: 'verified' }],
  ])('takes evidence signed with %s when fapi is %s: as it should (R38)', async (alg, fapi, expected) => {
    await provider.rotateKeys({ alg });
    const registration = {
      ...aRegistration({ fapi }),
      provider: { ...aRegistration().provider, id: `op-${alg}-${fapi}` },
    };
    const sentAt = new Date();
    const started = await client.start(registration, request);
    const authReqId = started.kind === 'acknowledged' ? started.authReqId : '';
    provider.approve(authReqId, { sub: 'alice' });
    const polled = await client.poll(registration, authReqId);
    if (polled.kind !== 'tokens') throw new Error(polled.kind);
    const expectation = {
      clientId: 'client-1',
      requestedScope: 'openid',
      sentAt,
      acrValues: [],
      expectedSubject: null,
      authReqId,
    };
    expect(await client.verify(registration, polled.answer, expectation, new Date())).toMatchObject(expected);
  });
});
