import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { createCertificateAuthority, type CertificateAuthority } from '../../../test/support/certificates.js';
import {
  startScriptedProvider,
  type ScriptedProvider,
  type ScriptedProviderOptions,
} from '../../../test/support/scripted-provider.js';
import {
  CibaClient,
  ProviderMisconfigured,
  ProviderUnavailable,
  type CibaClientOptions,
  type ClientCredentials,
  type ClientRegistration,
  type EvidenceExpectation,
  type ProviderSettings,
  type StartRequest,
} from './index.js';

const request: StartRequest = {
  scope: 'openid',
  loginHint: 'alice@example.com',
  bindingMessage: null,
  requestedExpirySeconds: null,
  acrValues: [],
  authorizationDetails: null,
  userCode: null,
  clientNotificationToken: null,
};
const secret: ClientCredentials = { type: 'secret', clientSecret: 's3cret', method: null };

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function aProvider(options?: ScriptedProviderOptions): Promise<ScriptedProvider> {
  const provider = await startScriptedProvider(options);
  cleanUps.push(() => provider.stop());
  return provider;
}

function aClient(options: Partial<CibaClientOptions> = {}): CibaClient {
  const client = new CibaClient({ allowInsecureHttp: true, timeoutMs: 5_000, pollTimeoutMs: 5_000, ...options });
  cleanUps.push(() => client.close());
  return client;
}

function settings(provider: ScriptedProvider, change: Partial<ProviderSettings> = {}): ProviderSettings {
  return {
    id: 'op-1.1',
    issuer: provider.issuer,
    metadata: null,
    trustedCertificates: [],
    profile: 'generic',
    ...change,
  };
}

function aRegistration(
  provider: ScriptedProvider,
  credentials: ClientCredentials = secret,
  change: Partial<ProviderSettings> = {},
): ClientRegistration {
  return { key: 'rule-1.1', clientId: 'client-1', credentials, provider: settings(provider, change) };
}

function expectationFor(authReqId: string): EvidenceExpectation {
  return {
    clientId: 'client-1',
    requestedScope: 'openid',
    sentAt: new Date(),
    acrValues: [],
    expectedSubject: null,
    authReqId,
  };
}

describe('a request', () => {
  it('goes from start to verified evidence (R49)', async () => {
    const provider = await aProvider({ intervalSeconds: 2, expiresInSeconds: 90 });
    const client = aClient();
    const registration = aRegistration(provider);
    const sentAt = new Date();

    const started = await client.start(registration, request);
    expect(started).toMatchObject({ kind: 'acknowledged', expiresInSeconds: 90, intervalSeconds: 2 });
    const authReqId = started.kind === 'acknowledged' ? started.authReqId : '';
    expect(await client.poll(registration, authReqId)).toEqual({ kind: 'pending', retryAfterSeconds: null });

    provider.approve(authReqId, { acr: 'urn:strong', amr: ['pin', 'hwk'] });
    const polled = await client.poll(registration, authReqId);
    if (polled.kind !== 'tokens') throw new Error(polled.kind);
    const verdict = await client.verify(
      registration,
      polled.answer,
      { ...expectationFor(authReqId), sentAt },
      new Date(),
    );
    expect(verdict).toMatchObject({
      kind: 'verified',
      grantedScope: 'openid',
      evidence: { issuer: provider.issuer, subject: 'alice@example.com', acr: 'urn:strong', amr: ['pin', 'hwk'] },
    });
  });

  it.each([
    ['deny', 'denied'],
    ['expire', 'expired'],
  ] as const)('ends when the provider learns: %s', async (what, kind) => {
    const provider = await aProvider();
    const client = aClient();
    const registration = aRegistration(provider);
    const started = await client.start(registration, request);
    const authReqId = started.kind === 'acknowledged' ? started.authReqId : '';
    provider[what](authReqId);
    expect((await client.poll(registration, authReqId)).kind).toBe(kind);
  });

  it('carries every member, encoded once (R13, R24)', async () => {
    const provider = await aProvider({
      metadata: {
        backchannel_token_delivery_modes_supported: ['poll', 'ping'],
        backchannel_user_code_parameter_supported: true,
      },
    });
    const registration = aRegistration(provider);
    await aClient().start(registration, {
      scope: 'openid payments',
      loginHint: '{"sub":"a&b=c+d"}',
      bindingMessage: 'Pay 20 € – ok?',
      requestedExpirySeconds: 300,
      acrValues: ['urn:a', 'urn:b'],
      authorizationDetails: [{ type: 'payment', amount: '20' }],
      userCode: '1234',
      clientNotificationToken: 'token',
    });
    expect(Object.fromEntries(provider.calls('backchannel')[0]?.form ?? [])).toEqual({
      scope: 'openid payments',
      login_hint: '{"sub":"a&b=c+d"}',
      binding_message: 'Pay 20 € – ok?',
      requested_expiry: '300',
      acr_values: 'urn:a urn:b',
      authorization_details: '[{"type":"payment","amount":"20"}]',
      user_code: '1234',
      client_notification_token: 'token',
    });
  });

  it('carries nothing that was not asked for (R16)', async () => {
    const provider = await aProvider();
    await aClient().start(aRegistration(provider), request);
    const [call] = provider.calls('backchannel');
    expect(call?.body).toBe('scope=openid&login_hint=alice%40example.com');
    expect(call?.headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    });
  });

  it('polls with the auth_req_id byte by byte (R43)', async () => {
    const provider = await aProvider();
    const authReqId = 'a b+c&d=é"\\/%20~*';
    await aClient().poll(aRegistration(provider), authReqId);
    const [call] = provider.calls('token');
    expect(Object.fromEntries(call?.form ?? [])).toEqual({
      grant_type: 'urn:openid:params:grant-type:ciba',
      auth_req_id: authReqId,
    });
  });
});

describe('a client secret', () => {
  const awkward: ClientRegistration['credentials'] = { type: 'secret', clientSecret: 'p:w %+é', method: null };

  it('goes into the header by preference, both parts encoded (R6)', async () => {
    const provider = await aProvider();
    const registration = { ...aRegistration(provider, awkward), clientId: 'cl:ient' };
    await aClient().poll(registration, 'id-1');
    const [call] = provider.calls('token');
    const [scheme, credentials = ''] = call?.headers.authorization?.split(' ') ?? [];
    expect(scheme).toBe('Basic');
    expect(Buffer.from(credentials, 'base64').toString()).toBe('cl%3Aient:p%3Aw+%25%2B%C3%A9');
    expect(call?.clientId).toBe('cl:ient');
    expect([call?.form.has('client_id'), call?.form.has('client_secret')]).toEqual([false, false]);
  });

  it.each([
    ['the provider takes nothing else', ['client_secret_post', 'private_key_jwt'], null],
    ['the rule says so', ['client_secret_basic'], 'client_secret_post' as const],
  ])('goes into the form when %s', async (_why, methods, method) => {
    const provider = await aProvider({ metadata: { token_endpoint_auth_methods_supported: methods } });
    await aClient().start(aRegistration(provider, { ...awkward, method }), request);
    const [call] = provider.calls('backchannel');
    expect(call?.headers.authorization).toBeUndefined();
    expect([call?.form.get('client_id'), call?.form.get('client_secret')]).toEqual(['client-1', 'p:w %+é']);
  });

  it('goes into the header when the rule says so', async () => {
    const provider = await aProvider({ metadata: { token_endpoint_auth_methods_supported: ['client_secret_post'] } });
    await aClient().poll(aRegistration(provider, { ...awkward, method: 'client_secret_basic' }), 'id-1');
    expect(provider.calls('token')[0]?.headers.authorization).toMatch(/^Basic /);
  });

  const long = { type: 'secret', clientSecret: 'a secret of thirty-two bytes or more', method: null } as const;

  it.each([
    ['the provider takes nothing else', ['client_secret_jwt', 'private_key_jwt'], null],
    ['the rule says so', ['client_secret_basic'], 'client_secret_jwt' as const],
  ])('signs every call anew, and stays here, when %s (R6, R128)', async (_why, methods, method) => {
    const provider = await aProvider({ metadata: { token_endpoint_auth_methods_supported: methods } });
    const client = aClient();
    const registration = aRegistration(provider, { ...long, method });
    await client.start(registration, request);
    await client.poll(registration, 'id-1');
    const used = new Set<unknown>();
    for (const { form, body, headers } of [...provider.calls('backchannel'), ...provider.calls('token')]) {
      const { payload, protectedHeader } = await jwtVerify(
        form.get('client_assertion') ?? '',
        Buffer.from(long.clientSecret),
        { issuer: 'client-1', subject: 'client-1', audience: provider.issuer, requiredClaims: ['exp', 'iat', 'nbf'] },
      );
      expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'client-authentication+jwt' });
      expect(headers.authorization).toBeUndefined();
      expect(new URLSearchParams(body).has('client_secret')).toBe(false);
      used.add(payload.jti);
    }
    expect(used.size).toBe(2);
  });

  it.each([
    ['is too short to sign', { ...awkward, method: 'client_secret_jwt' as const }, ['HS256']],
    ['cannot sign as the provider wants it', { ...long, method: 'client_secret_jwt' as const }, ['HS512']],
  ])('that %s signs nothing', async (_why, credentials, algorithms) => {
    const provider = await aProvider({ metadata: { token_endpoint_auth_signing_alg_values_supported: algorithms } });
    expect(await aClient().start(aRegistration(provider, credentials), request)).toMatchObject({
      kind: 'misconfigured',
    });
    expect(provider.calls('backchannel')).toHaveLength(0);
  });

  it('goes nowhere when the provider takes none', async () => {
    const provider = await aProvider({ metadata: { token_endpoint_auth_methods_supported: ['private_key_jwt'] } });
    expect(await aClient().start(aRegistration(provider), request)).toMatchObject({ kind: 'misconfigured' });
    expect(provider.calls('backchannel')).toHaveLength(0);
  });
});

describe('private_key_jwt', () => {
  const keys = [
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['PS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['EdDSA', generateKeyPairSync('ed25519')],
  ] as const;
  const credentials = (alg: (typeof keys)[number][0], key = keys[0][1].privateKey): ClientCredentials => ({
    type: 'private-key-jwt',
    signingKey: { kid: 'key-1', alg, privateKeyPem: key.export({ format: 'pem', type: 'pkcs8' }).toString() },
  });

  it.each(keys)(
    'signs a new assertion for every call with %s (R126, R127, R128)',
    async (alg, { privateKey, publicKey }) => {
      const provider = await aProvider();
      const client = aClient();
      const registration = aRegistration(provider, credentials(alg, privateKey));
      await client.start(registration, request);
      await client.poll(registration, 'id-1');
      await client.poll(registration, 'id-1');

      const key = await importJWK(publicKey.export({ format: 'jwk' }), alg);
      const used = new Set<unknown>();
      for (const { form } of [...provider.calls('backchannel'), ...provider.calls('token')]) {
        const assertion = form.get('client_assertion') ?? '';
        const { payload, protectedHeader } = await jwtVerify(assertion, key, {
          issuer: 'client-1',
          subject: 'client-1',
          audience: provider.issuer,
          requiredClaims: ['jti', 'exp', 'iat', 'nbf'],
        });
        expect(protectedHeader).toEqual({ alg, kid: 'key-1', typ: 'client-authentication+jwt' });
        expect(payload.aud).toBe(provider.issuer);
        expect(Number(payload.exp) - Number(payload.iat)).toBe(60);
        expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
        expect(form.get('client_id')).toBe('client-1');
        expect(form.has('client_secret')).toBe(false);
        used.add(payload.jti);
      }
      expect(used.size).toBe(3);
    },
  );

  it('stands beside a signed request, which holds the rest (R31, R32)', async () => {
    const provider = await aProvider({
      metadata: { backchannel_authentication_request_signing_alg_values_supported: ['ES256'] },
    });
    const own = credentials('ES256');
    if (own.type !== 'private-key-jwt') throw new Error(own.type);
    const registration = { ...aRegistration(provider, own), requestSigning: { keys: [own.signingKey], alg: null } };
    await aClient().start(registration, { ...request, requestedExpirySeconds: 60 });
    const form = provider.calls('backchannel')[0]?.form ?? new URLSearchParams();
    expect([...form.keys()].sort()).toEqual(['client_assertion', 'client_assertion_type', 'client_id', 'request']);
    const key = await importJWK(keys[0][1].publicKey.export({ format: 'jwk' }), 'ES256');
    const { payload } = await jwtVerify(form.get('request') ?? '', key);
    expect(payload).toMatchObject({ iss: 'client-1', aud: provider.issuer, requested_expiry: 60, scope: 'openid' });
  });

  it('names the called address where a profile says so (R126)', async () => {
    const provider = await aProvider();
    await aClient().poll(aRegistration(provider, credentials('ES256'), { profile: 'okta' }), 'id-1');
    const assertion = provider.calls('token')[0]?.form.get('client_assertion') ?? '';
    const key = await importJWK(keys[0][1].publicKey.export({ format: 'jwk' }), 'ES256');
    const { payload } = await jwtVerify(assertion, key);
    expect(payload.aud).toBe(`${provider.issuer}/token`);
    expect(decodeProtectedHeader(assertion).typ).toBeUndefined();
  });

  it.each([
    ['that is no key', { kid: 'key-1', alg: 'ES256', privateKeyPem: 'no key' } as const],
    [
      'of another algorithm',
      {
        kid: 'key-1',
        alg: 'PS256',
        privateKeyPem: keys[0][1].privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      } as const,
    ],
  ])('with a key %s is misconfigured', async (_what, signingKey) => {
    const provider = await aProvider();
    const client = aClient();
    const registration = aRegistration(provider, { type: 'private-key-jwt', signingKey });
    expect((await client.start(registration, request)).kind).toBe('misconfigured');
    expect((await client.poll(registration, 'id-1')).kind).toBe('not-sent');
    expect([...provider.calls('backchannel'), ...provider.calls('token')]).toHaveLength(0);
  });
});

describe('mutual TLS', () => {
  let authority: CertificateAuthority;

  beforeAll(async () => {
    authority = await createCertificateAuthority('Test Authority');
  });

  async function aTlsProvider(options: Partial<ScriptedProviderOptions> = {}): Promise<ScriptedProvider> {
    const { certificatePem, privateKeyPem } = await authority.issue({
      commonName: 'op',
      names: [{ type: 'ip', value: '127.0.0.1' }],
    });
    return aProvider({
      ...options,
      tls: {
        cert: certificatePem,
        key: privateKeyPem,
        ca: authority.certificatePem,
        requestCert: true,
        rejectUnauthorized: false,
      },
    });
  }

  it('shows the certificate at the aliases, and nowhere else (R7, R131)', async () => {
    const aliased = await aTlsProvider();
    const provider = await aTlsProvider({
      metadata: {
        mtls_endpoint_aliases: {
          token_endpoint: `${aliased.issuer}/token`,
          backchannel_authentication_endpoint: `${aliased.issuer}/backchannel`,
        },
      },
    });
    const me = await authority.issue({ commonName: 'client-1' });
    const registration = aRegistration(
      provider,
      { type: 'mutual-tls', certificateChainPem: me.certificatePem, privateKeyPem: me.privateKeyPem, method: null },
      { trustedCertificates: [authority.certificatePem] },
    );
    const client = aClient({ allowInsecureHttp: false });
    const started = await client.start(registration, request);
    const authReqId = started.kind === 'acknowledged' ? started.authReqId : '';
    expect((await client.poll(registration, authReqId)).kind).toBe('pending');

    const calls = [...aliased.calls('backchannel'), ...aliased.calls('token')];
    expect(calls.map((call) => call.clientCertificateFingerprint)).toEqual([me.fingerprint256, me.fingerprint256]);
    expect(calls.map((call) => call.form.get('client_id'))).toEqual(['client-1', 'client-1']);
    expect(provider.ledger.map((call) => [call.endpoint, call.clientCertificateFingerprint])).toEqual([
      ['discovery', null],
    ]);
  });

  it('uses the ordinary endpoints when there are no aliases, and one certificate for each registration', async () => {
    const provider = await aTlsProvider();
    const client = aClient({ allowInsecureHttp: false });
    const shown: (string | null | undefined)[] = [];
    for (const key of ['rule-1.1', 'rule-2.1']) {
      const { certificatePem, privateKeyPem, fingerprint256 } = await authority.issue({ commonName: key });
      const registration: ClientRegistration = {
        ...aRegistration(
          provider,
          { type: 'mutual-tls', certificateChainPem: certificatePem, privateKeyPem, method: 'tls_client_auth' },
          { trustedCertificates: [authority.certificatePem] },
        ),
        key,
      };
      await client.poll(registration, 'id-1');
      shown.push(fingerprint256);
    }
    expect(provider.calls('token').map((call) => call.clientCertificateFingerprint)).toEqual(shown);
  });

  it('trusts whom the provider settings name now, and nobody they named before', async () => {
    const provider = await aTlsProvider();
    const stranger = await createCertificateAuthority('stranger');
    const { certificatePem, privateKeyPem } = await authority.issue({ commonName: 'client-1' });
    const client = aClient({ allowInsecureHttp: false });
    const outcomes: string[] = [];
    const trusted = [authority, stranger, authority];
    for (const [version, { certificatePem: trustedPem }] of trusted.entries()) {
      const registration = aRegistration(
        provider,
        { type: 'mutual-tls', certificateChainPem: certificatePem, privateKeyPem, method: null },
        { id: `op-1.${version}`, metadata: provider.metadata, trustedCertificates: [trustedPem] },
      );
      outcomes.push((await client.poll(registration, 'id-1')).kind);
    }
    expect(outcomes).toEqual(['invalid-grant', 'not-sent', 'invalid-grant']);
  });

  it('with a certificate and key that do not belong together is misconfigured', async () => {
    const provider = await aTlsProvider();
    const [one, other] = [await authority.issue({ commonName: 'a' }), await authority.issue({ commonName: 'b' })];
    const registration = aRegistration(
      provider,
      { type: 'mutual-tls', certificateChainPem: one.certificatePem, privateKeyPem: other.privateKeyPem, method: null },
      { trustedCertificates: [authority.certificatePem] },
    );
    expect((await aClient().start(registration, request)).kind).toBe('misconfigured');
    expect(provider.calls('backchannel')).toHaveLength(0);
  });
});

describe('discovery', () => {
  it('happens once for everybody', async () => {
    const provider = await aProvider();
    const client = aClient();
    await Promise.all(Array.from({ length: 20 }, () => client.start(aRegistration(provider), request)));
    await client.poll(aRegistration(provider), 'id-1');
    expect(await client.discover(settings(provider))).toMatchObject({
      issuer: provider.issuer,
      metadata: { token_endpoint: `${provider.issuer}/token` },
    });
    expect(provider.calls('discovery')).toHaveLength(1);
    expect(provider.calls('backchannel')).toHaveLength(20);
  });

  it('happens again when the settings have changed', async () => {
    const provider = await aProvider();
    const client = aClient();
    await client.discover(settings(provider));
    await client.discover(settings(provider, { id: 'op-1.2' }));
    expect(provider.calls('discovery')).toHaveLength(2);
  });

  it('finds an issuer with a path', async () => {
    const provider = await aProvider({ path: '/tenant' });
    expect((await aClient().start(aRegistration(provider), request)).kind).toBe('acknowledged');
  });

  it('is spared by explicit metadata', async () => {
    const provider = await aProvider();
    const registration = aRegistration(provider, secret, { metadata: provider.metadata });
    expect((await aClient().start(registration, request)).kind).toBe('acknowledged');
    expect(provider.calls('discovery')).toHaveLength(0);
  });

  const lacking: [string, Record<string, unknown>][] = [
    ['another issuer', { issuer: 'https://op.example' }],
    ['no issuer', { issuer: undefined }],
    ['no backchannel endpoint (R1)', { backchannel_authentication_endpoint: undefined }],
    ['no token endpoint', { token_endpoint: undefined }],
    ['no keys', { jwks_uri: undefined }],
    ['grant types without CIBA (R2)', { grant_types_supported: ['authorization_code'] }],
    ['grant types that are no list', { grant_types_supported: 'urn:openid:params:grant-type:ciba' }],
    ['an endpoint that is no URL', { token_endpoint: '/token' }],
    ['an endpoint of another scheme', { token_endpoint: 'ftp://op.example/token' }],
    ['an endpoint with credentials', { token_endpoint: 'https://a:b@op.example/token' }],
    ['an alias that is no URL', { mtls_endpoint_aliases: { token_endpoint: 7 } }],
    ['delivery without poll', { backchannel_token_delivery_modes_supported: ['ping', 'push'] }],
  ];

  it.each(lacking)('of %s is misconfigured, and nobody is asked', async (_what, metadata) => {
    const provider = await aProvider({ metadata });
    expect((await aClient().start(aRegistration(provider), request)).kind).toBe('misconfigured');
    expect(provider.calls('backchannel')).toHaveLength(0);
  });

  it.each([
    ['missing grant types', { grant_types_supported: undefined }],
    ['missing delivery modes', { backchannel_token_delivery_modes_supported: undefined }],
    ['missing algorithms', { id_token_signing_alg_values_supported: undefined }],
  ])('is content with %s', async (_what, metadata) => {
    const provider = await aProvider({ metadata });
    expect((await aClient().start(aRegistration(provider), request)).kind).toBe('acknowledged');
  });

  it('does not mend an issuer that differs by a slash (R12)', async () => {
    const provider = await aProvider();
    const registration = aRegistration(provider, secret, { issuer: `${provider.issuer}/` });
    expect((await aClient().start(registration, request)).kind).toBe('misconfigured');
    const explicit = { issuer: `${provider.issuer}/`, metadata: provider.metadata, id: 'op-1.2' };
    const other = { ...aRegistration(provider, secret, explicit), key: 'rule-1.2' };
    expect((await aClient().start(other, request)).kind).toBe('misconfigured');
  });

  it('wants https (R13)', async () => {
    const provider = await aProvider();
    const client = aClient({ allowInsecureHttp: false });
    expect((await client.start(aRegistration(provider), request)).kind).toBe('misconfigured');
    const explicit = aRegistration(provider, secret, { metadata: provider.metadata, id: 'op-1.2' });
    expect((await client.start(explicit, request)).kind).toBe('misconfigured');
    expect(provider.ledger).toHaveLength(0);
  });

  it.each([
    ['404', { status: 404, json: {} }, ProviderMisconfigured],
    ['302', { status: 302, headers: { location: '/elsewhere' }, json: {} }, ProviderMisconfigured],
    ['HTML', { body: '<html></html>' }, ProviderMisconfigured],
    ['a list', { json: [] }, ProviderMisconfigured],
    ['too much', { json: { padding: 'x'.repeat(1 << 20) } }, ProviderMisconfigured],
    ['500', { status: 500, json: {} }, ProviderUnavailable],
    ['429', { status: 429, json: {} }, ProviderUnavailable],
    ['nothing', { reset: true }, ProviderUnavailable],
    ['half of it', { json: { issuer: 'x' }, cutAfterBytes: 4 }, ProviderUnavailable],
  ])('answered with %s rejects with the right fault', async (_what, reply, fault) => {
    const provider = await aProvider();
    provider.on('discovery', () => reply);
    const client = aClient();
    await expect(client.discover(settings(provider))).rejects.toBeInstanceOf(fault);
    await expect(client.discover(settings(provider))).rejects.toBeInstanceOf(fault);
    expect(provider.calls('discovery')).toHaveLength(1);
  });
});

describe('verification', () => {
  async function anAnswer(provider: ScriptedProvider, idToken?: string) {
    return {
      accessToken: 'at',
      tokenType: 'Bearer',
      expiresInSeconds: null,
      scope: null,
      idToken: idToken ?? (await provider.idToken()),
      refreshToken: null,
      authorizationDetails: null,
    };
  }

  it('fetches the keys once', async () => {
    const provider = await aProvider();
    const client = aClient();
    const verify = async () =>
      (await client.verify(aRegistration(provider), await anAnswer(provider), expectationFor('id-1'), new Date())).kind;
    await provider.rotateKeys({ alg: 'PS256' });
    expect(await verify()).toBe('verified');
    expect(await verify()).toBe('verified');
    expect(provider.calls('jwks')).toHaveLength(1);
  });

  it.each(['ES256', 'PS256', 'RS256', 'EdDSA'])('accepts %s', async (alg) => {
    const provider = await aProvider();
    await provider.rotateKeys({ alg });
    const answer = await anAnswer(provider);
    expect((await aClient().verify(aRegistration(provider), answer, expectationFor('id-1'), new Date())).kind).toBe(
      'verified',
    );
  });

  it('accepts no algorithm that the provider did not announce', async () => {
    const provider = await aProvider({ metadata: { id_token_signing_alg_values_supported: ['PS256', 'ES384'] } });
    const answer = await anAnswer(provider);
    const verdict = await aClient().verify(aRegistration(provider), answer, expectationFor('id-1'), new Date());
    expect(verdict).toMatchObject({ kind: 'rejected', problem: 'algorithm' });
  });

  it.each([
    ['are not there', { status: 404, json: {} }],
    ['are no list', { json: { keys: { kty: 'EC' } } }],
    ['are not objects', { json: { keys: ['EC'] } }],
    ['are too large', { json: { keys: [{ kty: 'EC', x: 'x'.repeat(1 << 20) }] } }],
    ['cannot be fetched', { reset: true }],
    ['are not answered', { status: 500, json: {} }],
    ['are none', { json: { keys: [] } }],
  ])('waits when the keys %s', async (_what, reply) => {
    const provider = await aProvider();
    provider.on('jwks', () => reply);
    const answer = await anAnswer(provider);
    const verdict = await aClient().verify(aRegistration(provider), answer, expectationFor('id-1'), new Date());
    expect(verdict.kind).toBe('keys-unavailable');
  });

  it.each([
    [100, 'verified'],
    [101, 'keys-unavailable'],
  ])('takes %i keys: %s', async (count, kind) => {
    const provider = await aProvider();
    const { keys } = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: object[] };
    const others = Array.from({ length: count - 1 }, (_, index) => ({ kty: 'EC', kid: `other-${index}` }));
    provider.on('jwks', () => ({ json: { keys: [...others, ...keys] } }));
    const answer = await anAnswer(provider);
    const verdict = await aClient().verify(aRegistration(provider), answer, expectationFor('id-1'), new Date());
    expect(verdict.kind).toBe(kind);
  });

  it('waits when the provider is away', async () => {
    const provider = await aProvider();
    const answer = await anAnswer(provider);
    await provider.goAway();
    const verdict = await aClient().verify(aRegistration(provider), answer, expectationFor('id-1'), new Date());
    expect(verdict.kind).toBe('keys-unavailable');
  });

  it('needs no provider to see that there is no ID token', async () => {
    const provider = await aProvider();
    const answer = { ...(await anAnswer(provider)), idToken: null };
    await provider.goAway();
    const verdict = await aClient().verify(aRegistration(provider), answer, expectationFor('id-1'), new Date());
    expect(verdict).toMatchObject({ kind: 'rejected', problem: 'id_token_missing' });
  });
});
