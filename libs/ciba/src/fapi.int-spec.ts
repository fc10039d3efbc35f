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
    ['keys of other algorithms (R120)', { credentials: { type: 'private-key-jwt', signingKey: edKey } }],
  ])('calls nobody with %s', async (_what, over) => {
    const calls = provider.calls('backchannel').length;
    expect((await client.start(aRegistration(over), request)).kind).toBe('misconfigured');
    expect(provider.calls('backchannel')).toHaveLength(calls);
  });

  it('leaves requests unsigned when the rule says so, and the provider does not demand them signed (R118)', async () => {
    expect((await client.start(aRegistration({ requestSigning: null }), request)).kind).toBe('acknowledged');
    expect(provider.calls('backchannel').at(-1)!.form.has('request')).toBe(false);
    provider.metadata['require_signed_request_object'] = true;
    const strict = { ...aRegistration().provider, id: 'op-strict' };
    const calls = provider.calls('backchannel').length;
    const outcome = await client.start(aRegistration({ provider: strict, requestSigning: null }), request);
    expect(outcome).toMatchObject({ kind: 'misconfigured', detail: 'the provider takes signed requests only' });
    expect(provider.calls('backchannel')).toHaveLength(calls);
  });

  it('names each call by the id that it is given, and none where none is given (R137)', async () => {
    const ids = () => provider.ledger.map(({ headers }) => headers['x-fapi-interaction-id']);
    const first = ids().length;
    await client.start(aRegistration(), { ...request, interactionId: 'c770aef3-6784-41f7-8e0e-ff5f97bddb3a' });
    await client.poll(aRegistration(), 'id', null, '93bac548-d2de-4546-b106-880a5018460d');
    await client.poll(aRegistration(), 'id');
    expect(ids().slice(first)).toEqual([
      'c770aef3-6784-41f7-8e0e-ff5f97bddb3a',
      '93bac548-d2de-4546-b106-880a5018460d',
      undefined,
    ]);
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
