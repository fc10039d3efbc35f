import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CompactEncrypt } from 'jose';
import { startScriptedProvider, type ScriptedProvider } from '../../../test/support/scripted-provider.js';
import { CibaClient, type ClientRegistration, type TokenAnswer } from './index.js';

/** What is inside an encrypted ID token has to prove the approval, as ever. */
describe('evidence in an encrypted ID token (R99)', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = {
    kid: 'enc-1',
    alg: 'ECDH-ES',
    privateKeyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  } as const;
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

  const seal = (text: string, kid: string = key.kid) =>
    new CompactEncrypt(new TextEncoder().encode(text))
      .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', cty: 'JWT', kid })
      .encrypt(pair.publicKey);
  const signed = (claims: object = {}) => provider.idToken({ aud: 'client-1', sub: 'alice', ...claims });

  const verify = (idToken: string, keys: ClientRegistration['decryptionKeys'] = [key]) => {
    const answer: TokenAnswer = {
      accessToken: 'access',
      tokenType: 'Bearer',
      expiresInSeconds: null,
      scope: null,
      idToken,
      refreshToken: null,
      authorizationDetails: null,
    };
    const registration: ClientRegistration = {
      key: 'rule-1.1',
      provider: { id: 'op-1.1', issuer: provider.issuer, metadata: null, trustedCertificates: [], profile: 'generic' },
      clientId: 'client-1',
      credentials: { type: 'secret', clientSecret: 's3cret', method: null },
      decryptionKeys: keys,
    };
    const expectation = {
      clientId: 'client-1',
      requestedScope: 'openid',
      sentAt: new Date(Date.now() - 1000),
      acrValues: [],
      expectedSubject: null,
      authReqId: 'id-1',
    };
    return client.verify(registration, answer, expectation, new Date());
  };

  it('counts, and is known by the token inside: another envelope makes no other token of it', async () => {
    const token = await signed();
    const [first, second, plain] = await Promise.all([
      verify(await seal(token)),
      verify(await seal(token)),
      verify(token),
    ]);
    expect(first).toMatchObject({ kind: 'verified', evidence: { subject: 'alice' } });
    expect([second, plain]).toEqual([first, first]);
  });

  it.each<[string, () => Promise<string>, object]>([
    ['of somebody else’s client', () => signed({ aud: 'client-2' }), { kind: 'rejected', problem: 'audience' }],
    ['that is not signed', async () => `${(await signed()).split('.').slice(0, 2).join('.')}.`, { kind: 'rejected' }],
    [
      'with a changed signature',
      async () => (await signed()).replace(/\.[^.]{4}([^.]*)$/, '.AAAA$1'),
      { kind: 'rejected', problem: 'signature' },
    ],
    [
      'that is encrypted once more',
      async () => seal(await signed()),
      { kind: 'rejected', problem: 'id_token_malformed' },
    ],
    ['that is no token', async () => '{"sub":"alice"}', { kind: 'rejected', problem: 'id_token_malformed' }],
  ])('does not count with a token inside %s', async (_what, inside, expected) => {
    expect(await verify(await seal(await inside()))).toMatchObject(expected);
  });

  it('waits for a key that is not here yet, and is refused when it cannot be opened by any', async () => {
    expect(await verify(await seal(await signed(), 'enc-2'))).toMatchObject({ kind: 'keys-unavailable' });
    expect(await verify(await seal(await signed()), [])).toMatchObject({ kind: 'keys-unavailable' });
    expect(await verify('eyJhbGciOiJkaXIifQ.a.b.c.d')).toMatchObject({ kind: 'rejected', problem: 'encryption' });
  });
});
