import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { ProviderMisconfigured } from './provider-faults.js';
import { readProviderMetadata } from './provider-metadata.js';
import type { ClientRegistration, ProviderProfileName, RequestSigning, SigningKeyMaterial } from './registration.js';
import { prepareRequestSigning } from './request-object.js';
import type { StartMembers } from './start-members.js';

const issuer = 'https://op.example';
const url = `${issuer}/backchannel`;
const now = () => new Date('2026-05-04T10:00:00.700Z');
const issuedAt = Date.parse('2026-05-04T10:00:00Z') / 1000;
const pairs = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
};
const keys = (['PS256', 'ES256'] as const).map((alg): SigningKeyMaterial => ({
  kid: `key-${alg}`,
  alg,
  privateKeyPem: pairs[alg].privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
}));
const members: StartMembers = {
  scope: 'openid payments',
  login_hint: 'alice@example.com',
  binding_message: null,
  requested_expiry: 120,
  authorization_details: [{ type: 'payment', amount: 20 }],
};

interface Case {
  readonly alg?: RequestSigning['alg'];
  readonly supported?: readonly string[] | null;
  readonly profile?: ProviderProfileName;
  readonly authenticationForm?: string;
  readonly keys?: readonly SigningKeyMaterial[];
}

function prepare({ alg = null, supported = ['ES256', 'PS256'], profile = 'generic', ...more }: Case) {
  const metadata = readProviderMetadata(
    {
      backchannel_authentication_endpoint: url,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      ...(supported !== null && { backchannel_authentication_request_signing_alg_values_supported: supported }),
    },
    issuer,
    false,
  );
  const registration: ClientRegistration = {
    key: 'rule-1.1',
    provider: { id: 'op-1.1', issuer, metadata: null, trustedCertificates: [], profile },
    clientId: 'client-1',
    credentials: { type: 'secret', clientSecret: 's3cret', method: null },
    requestSigning: { keys: more.keys ?? keys, alg },
  };
  const sign = prepareRequestSigning(registration, metadata, {
    url,
    authenticationForm: more.authenticationForm ?? '',
    now,
  });
  if (sign === null) throw new Error('not signed');
  return sign;
}

async function read(request: string | null | undefined) {
  const { alg } = decodeProtectedHeader(request ?? '') as { alg: 'ES256' | 'PS256' };
  const key = await importJWK(pairs[alg].publicKey.export({ format: 'jwk' }), alg);
  return jwtVerify(request ?? '', key, { currentDate: now() });
}

describe('a signed request', () => {
  it('holds every parameter as a claim of its JSON type, and nothing stands beside it (R31, R36)', async () => {
    const form = await prepare({})(members);
    expect(Object.keys(form)).toEqual(['request']);
    const { payload } = await read(form.request);
    expect(payload).toMatchObject({
      scope: 'openid payments',
      login_hint: 'alice@example.com',
      requested_expiry: 120,
      authorization_details: [{ type: 'payment', amount: 20 }],
    });
    expect(payload).not.toHaveProperty('binding_message');
  });

  it('says who, to whom and for how long, with the client as issuer only (R33, R34, R37, R38)', async () => {
    const { payload } = await read((await prepare({})(members)).request);
    expect(payload).toMatchObject({ iss: 'client-1', aud: issuer, iat: issuedAt, nbf: issuedAt, exp: issuedAt + 300 });
    for (const absent of ['sub', 'request', 'request_uri', 'client_id']) expect(payload).not.toHaveProperty(absent);
  });

  it('names its type and key, and is never the same twice (R39, R40)', async () => {
    const sign = prepare({});
    const [one, other] = [await read((await sign(members)).request), await read((await sign(members)).request)];
    expect(one.protectedHeader).toEqual({ alg: 'ES256', kid: 'key-ES256', typ: 'oauth-authz-req+jwt' });
    expect(typeof one.payload.jti).toBe('string');
    expect(one.payload.jti).not.toBe(other.payload.jti);
  });

  it.each<[string, Case, string]>([
    ['both are taken', {}, 'ES256'],
    ['only PS256 is taken', { supported: ['HS256', 'none', 'PS256'] }, 'PS256'],
    ['the rule says so', { alg: 'PS256' }, 'PS256'],
    ['the rule says so and the provider says nothing', { alg: 'PS256', supported: null }, 'PS256'],
  ])('is signed with a key that fits when %s (R35)', async (_when, options, alg) => {
    const { protectedHeader } = await read((await prepare(options)(members)).request);
    expect(protectedHeader).toMatchObject({ alg, kid: `key-${alg}` });
  });

  it.each<[string, Case]>([
    ['the provider takes symmetric keys and none only', { supported: ['HS256', 'none'] }],
    ['the provider does not take what the rule says', { alg: 'ES256', supported: ['PS256'] }],
    ['the provider says nothing, nor does the rule', { supported: null }],
    ['there is no key that fits', { keys: [] }],
  ])('is not made when %s (R35)', (_when, options) => {
    expect(() => prepare(options)).toThrow(ProviderMisconfigured);
  });

  it.each(['sub', 'iss', 'request', 'request_uri'])('does not let a parameter pass for the claim %s (R37)', (name) =>
    expect(prepare({})({ ...members, [name]: 'client-1' })).rejects.toThrow(ProviderMisconfigured),
  );

  it('names the backchannel endpoint where an ecosystem wants it (Q35)', async () => {
    const { payload } = await read((await prepare({ profile: 'camara' })(members)).request);
    expect(payload.aud).toBe(url);
  });

  it.each([
    ['once outside when the authentication does not', '', { client_id: 'client-1' }],
    ['not again when the authentication does', 'client_id=client-1&client_assertion_type=jwt', {}],
  ])('names the client inside, and %s, for PingFederate (Q20)', async (_how, authenticationForm, outside) => {
    const { request, ...beside } = await prepare({ profile: 'pingfederate', authenticationForm })(members);
    expect(beside).toEqual(outside);
    expect((await read(request)).payload['client_id']).toBe('client-1');
  });
});
