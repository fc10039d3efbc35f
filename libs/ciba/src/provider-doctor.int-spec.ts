import { generateKeyPairSync } from 'node:crypto';
import type { FindingCode } from '#lib/contracts';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createCertificateAuthority, type CertificateAuthority } from '../../../test/support/certificates.js';
import {
  startScriptedProvider,
  type ScriptedProvider,
  type ScriptedProviderOptions,
  type ScriptedReply,
} from '../../../test/support/scripted-provider.js';
import type { RuleToExamine } from './doctor-facts.js';
import {
  judgeProvider,
  ProviderDoctor,
  type ClientCredentials,
  type ProviderDoctorOptions,
  type ProviderSettings,
} from './index.js';

const cleanUps: (() => Promise<unknown>)[] = [];
let authority: CertificateAuthority;

beforeAll(async () => {
  authority = await createCertificateAuthority('doctor test');
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function aProvider(options: ScriptedProviderOptions = {}): Promise<ScriptedProvider> {
  const provider = await startScriptedProvider({
    ...options,
    metadata: { backchannel_user_code_parameter_supported: true, ...options.metadata },
  });
  cleanUps.push(() => provider.stop());
  return provider;
}

const settings = (issuer: string, change: Partial<ProviderSettings> = {}): ProviderSettings => ({
  id: 'op-1.1',
  issuer,
  metadata: null,
  trustedCertificates: [],
  profile: 'generic',
  ...change,
});

const secret: ClientCredentials = { type: 'secret', clientSecret: 's3cret', method: null };

function aRule(
  provider: ProviderSettings,
  credentials: ClientCredentials = secret,
  clientId = 'client-1',
): RuleToExamine {
  return {
    id: clientId,
    name: `Rule of ${clientId}`,
    asks: { deliveryMode: 'poll', scopes: [], acrValues: [], detailTypes: [], requestedExpirySeconds: null },
    registration: { key: `${clientId}.1`, provider, clientId, credentials },
  };
}

async function look(
  provider: ProviderSettings,
  rules: readonly RuleToExamine[] = [],
  options: Partial<ProviderDoctorOptions> = {},
) {
  const doctor = new ProviderDoctor({ allowInsecureHttp: true, timeoutMs: 5_000, ...options });
  const facts = await doctor.examine(provider, rules, false);
  const found = judgeProvider(facts, new Date());
  const codes: FindingCode[] = found.map(({ code }) => code);
  return { facts, found, codes, problem: facts.problem };
}

describe('a look at a provider', () => {
  it('finds nothing amiss, tries the client, and prompts nobody', async () => {
    const provider = await aProvider();
    const own = settings(provider.issuer);
    const { codes, problem } = await look(own, [aRule(own)]);
    expect(codes).toEqual(['tls_not_used', 'client_accepted']);
    expect(problem).toBeNull();
    expect(provider.calls('backchannel')).toEqual([]);
    const [trial, ...others] = provider.calls('token');
    expect(others).toEqual([]);
    expect(trial?.form.get('grant_type')).toBe('urn:openid:params:grant-type:ciba');
    expect(trial?.form.get('auth_req_id')).toMatch(/^assent-doctor-/);
  });

  it('tries rules that share a client once, and others on their own', async () => {
    const provider = await aProvider();
    const own = settings(provider.issuer);
    const { codes } = await look(own, [aRule(own), { ...aRule(own), id: 'r2' }, aRule(own, secret, 'client-2')]);
    expect(codes.filter((code) => code === 'client_accepted')).toHaveLength(3);
    expect(
      provider
        .calls('token')
        .map(({ clientId }) => clientId)
        .sort(),
    ).toEqual(['client-1', 'client-2']);
  });

  it('knows nothing from the last time', async () => {
    const provider = await aProvider();
    const own = settings(provider.issuer);
    expect((await look(own)).problem).toBeNull();
    provider.metadata['issuer'] = `${provider.issuer}/`;
    expect(await look(own)).toMatchObject({
      codes: ['issuer_trailing_slash', 'tls_not_used'],
      problem: expect.stringContaining('issuer'),
    });
  });

  it('looks beneath the path of an issuer', async () => {
    const provider = await aProvider({ path: '/tenant' });
    expect((await look(settings(provider.issuer))).codes).toEqual(['tls_not_used']);
  });

  it('reads metadata by hand, and calls no discovery', async () => {
    const provider = await aProvider();
    const { codes } = await look(settings(provider.issuer, { metadata: { ...provider.metadata } }));
    expect(codes).toEqual(['tls_not_used', 'discovery_explicit']);
    expect(provider.calls('discovery')).toEqual([]);
  });

  it('sends no credentials to another issuer (R12)', async () => {
    const provider = await aProvider();
    const own = settings(provider.issuer);
    provider.metadata['issuer'] = 'https://other.example';
    const { codes } = await look(own, [aRule(own)]);
    expect(codes).toEqual(['issuer_mismatch', 'tls_not_used', 'client_not_tried']);
    expect(provider.calls('token')).toEqual([]);
  });

  it('sees that CIBA is lacking (R1, R2)', async () => {
    const provider = await aProvider({
      metadata: { backchannel_authentication_endpoint: undefined, grant_types_supported: ['authorization_code'] },
    });
    const { codes, problem } = await look(settings(provider.issuer));
    expect(codes).toEqual(['ciba_not_offered', 'ciba_grant_missing', 'tls_not_used']);
    expect(problem).toBe('grant_types_supported does not contain CIBA');
  });

  it('refuses plain http where it is not allowed', async () => {
    const provider = await aProvider();
    const { codes } = await look(settings(provider.issuer), [], { allowInsecureHttp: false });
    expect(codes).toEqual(['issuer_unusable']);
    expect(provider.ledger).toEqual([]);
  });
});

describe('a provider that is not well', () => {
  it('is gone', async () => {
    const provider = await aProvider();
    await provider.goAway();
    const { found, problem } = await look(settings(provider.issuer));
    expect(found).toMatchObject([{ code: 'discovery_unreachable', detail: expect.stringContaining('ECONNREFUSED') }]);
    expect(problem).toContain('ECONNREFUSED');
  });

  it('hangs: the look ends all the same', async () => {
    const provider = await aProvider();
    const own = settings(provider.issuer);
    provider.on('discovery', () => ({ hang: true }));
    expect((await look(own, [aRule(own)], { timeoutMs: 300 })).codes).toEqual([
      'discovery_unreachable',
      'tls_not_used',
      'client_not_tried',
    ]);
  });

  it('is slow: clients whose turn does not come are not tried', async () => {
    const provider = await aProvider();
    const own = settings(provider.issuer);
    provider.on('token', () => ({ hang: true }));
    const rules = Array.from({ length: 9 }, (_, index) => aRule(own, secret, `client-${index}`));
    const { found } = await look(own, rules, { totalMs: 700 });
    const details = found.filter(({ code }) => code === 'client_not_tried').map(({ detail }) => detail);
    expect(details).toHaveLength(9);
    expect(details.filter((detail) => detail === 'There was no time left.')).toHaveLength(5);
    expect(provider.calls('token')).toHaveLength(4);
  });

  it.each<[string, ScriptedReply, FindingCode]>([
    ['has no document', { status: 404, json: {} }, 'discovery_not_found'],
    ['has trouble', { status: 503, json: {} }, 'discovery_unavailable'],
    ['answers with a page', { body: '<html></html>' }, 'discovery_unreadable'],
    [
      'sends us elsewhere',
      { status: 302, headers: { location: 'http://127.0.0.1:1/' }, json: {} },
      'discovery_not_found',
    ],
  ])('%s', async (_, reply, code) => {
    const provider = await aProvider();
    provider.on('discovery', () => reply);
    expect((await look(settings(provider.issuer))).codes).toEqual([code, 'tls_not_used']);
  });

  it.each([
    [90_000, 'clock_far_off', 'behind'],
    [-90_000, 'clock_far_off', 'ahead of'],
    [-30_000, 'clock_difference', 'ahead of'],
  ] as const)('has another time: ours is %i ms ahead', async (oursMs, code, where) => {
    const provider = await aProvider();
    const { found } = await look(settings(provider.issuer), [], { now: () => new Date(Date.now() + oursMs) });
    expect(found).toContainEqual(
      expect.objectContaining({ code, detail: expect.stringMatching(new RegExp(`\\d\\d s ${where} ours`)) }),
    );
  });

  it('is not accused by the date in a cache', async () => {
    const provider = await aProvider();
    const old = { date: new Date(Date.now() - 3_600_000).toUTCString(), age: '3600' };
    provider.on('discovery', () => ({ headers: old, json: provider.metadata }));
    expect((await look(settings(provider.issuer))).codes).toEqual(['tls_not_used']);
  });

  it.each<[string, ScriptedReply, FindingCode]>([
    ['are not there', { status: 404, json: {} }, 'keys_unreachable'],
    ['are a page', { body: '<html></html>' }, 'keys_unreadable'],
    ['are no list', { json: { keys: {} } }, 'keys_unreadable'],
    ['are none', { json: { keys: [] } }, 'keys_unusable'],
    ['encrypt', { json: { keys: [{ ...anEcKey(), use: 'enc' }] } }, 'keys_unusable'],
    ['are broken', { json: { keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }] } }, 'keys_unusable'],
    ['are of another curve', { json: { keys: [anEcKey('P-384')] } }, 'keys_unusable'],
  ])('has keys that %s', async (_, reply, code) => {
    const provider = await aProvider();
    provider.on('jwks', () => reply);
    expect((await look(settings(provider.issuer))).codes).toContain(code);
  });

  it.each<[string, ScriptedReply, FindingCode]>([
    ['refuses the client', { status: 401, json: { error: 'invalid_client' } }, 'client_secret_refused'],
    ['knows no such grant', { status: 400, json: { error: 'unsupported_grant_type' } }, 'client_lacks_grant'],
    ['withholds the grant', { status: 400, json: { error: 'unauthorized_client' } }, 'client_lacks_grant'],
    ['gives tokens to anybody', { json: { access_token: 'x', token_type: 'Bearer' } }, 'made_up_request_approved'],
    ['cuts the connection', { reset: true }, 'client_not_tried'],
    ['is busy', { status: 429, json: {} }, 'client_not_tried'],
    ['answers with a page', { status: 403, body: '<html></html>' }, 'client_answer_unclear'],
  ])('%s', async (_, reply, code) => {
    const provider = await aProvider();
    const own = settings(provider.issuer);
    provider.on('token', () => reply);
    const { codes } = await look(own, [aRule(own)]);
    expect(codes).toContain(code);
    expect(codes).not.toContain('client_accepted');
  });

  it('cannot be tried with a key that is none', async () => {
    const provider = await aProvider();
    const own = settings(provider.issuer);
    const signingKey = { kid: 'k', alg: 'ES256', privateKeyPem: 'not a key' } as const;
    const { codes } = await look(own, [aRule(own, { type: 'private-key-jwt', signingKey })]);
    expect(codes).toContain('client_unready');
    expect(provider.calls('token')).toEqual([]);
  });
});

describe('a provider behind TLS', () => {
  const dayMs = 86_400_000;

  async function behindTls(notAfter?: Date, dns = 'localhost', tls: Partial<ScriptedProviderOptions['tls']> = {}) {
    const { certificatePem, privateKeyPem } = await authority.issue({
      commonName: dns,
      names: [{ type: 'dns', value: dns }],
      ...(notAfter && { notAfter }),
    });
    return aProvider({ host: 'localhost', tls: { cert: certificatePem, key: privateKeyPem, ...tls } });
  }
  const trusting = (provider: ScriptedProvider) =>
    settings(provider.issuer, { trustedCertificates: [authority.certificatePem] });

  it.each<[string, number, FindingCode[]]>([
    ['for long', 90, []],
    ['for three weeks', 21, ['tls_certificate_expires_soon']],
    ['for two days', 2, ['tls_certificate_expires_this_week']],
    ['no more', -1, ['tls_certificate_expired']],
  ])('has a certificate that is valid %s', async (_, days, codes) => {
    const provider = await behindTls(new Date(Date.now() + days * dayMs));
    expect((await look(trusting(provider), [], { allowInsecureHttp: false })).codes).toEqual(codes);
  });

  it('is vouched for by nobody we trust', async () => {
    const provider = await behindTls(new Date(Date.now() + 90 * dayMs));
    const { codes, problem } = await look(settings(provider.issuer));
    expect(codes).toEqual(['tls_certificate_untrusted']);
    expect(problem).toMatch(/cannot be read: [A-Z_]+$/);
  });

  it('has the certificate of another host', async () => {
    const provider = await behindTls(new Date(Date.now() + 90 * dayMs), 'other.example');
    expect((await look(trusting(provider))).codes).toEqual(['tls_certificate_for_another_name']);
  });

  it('speaks no TLS where it should', async () => {
    const provider = await aProvider();
    expect((await look(settings(provider.issuer.replace('http:', 'https:')))).codes).toEqual(['tls_failed']);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('refuses our certificate in the handshake (%s)', async (version) => {
    const well = await behindTls(new Date(Date.now() + 90 * dayMs));
    const strict = await behindTls(new Date(Date.now() + 90 * dayMs), 'localhost', {
      requestCert: true,
      rejectUnauthorized: true,
      ca: authority.certificatePem,
      minVersion: version,
      maxVersion: version,
    });
    const stranger = await (await createCertificateAuthority('stranger')).issue({ commonName: 'client-1' });
    const friend = await authority.issue({ commonName: 'client-1' });
    well.metadata['mtls_endpoint_aliases'] = {
      token_endpoint: `${strict.issuer}/token`,
      backchannel_authentication_endpoint: `${strict.issuer}/backchannel`,
    };
    well.metadata['token_endpoint_auth_methods_supported'] = ['tls_client_auth'];
    const own = trusting(well);
    const withCertificate = ({ certificatePem, privateKeyPem }: typeof friend): ClientCredentials => ({
      type: 'mutual-tls',
      certificateChainPem: certificatePem,
      privateKeyPem,
      method: null,
    });
    const refused = await look(own, [aRule(own, withCertificate(stranger))]);
    expect(refused.codes).toEqual(['client_certificate_refused', 'key_pair_expires_soon']);
    const taken = await look(own, [aRule(own, withCertificate(friend))]);
    expect(taken.codes).toEqual(['key_pair_expires_soon', 'client_accepted']);
  });
});

function anEcKey(namedCurve = 'P-256') {
  return generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' });
}
