import 'reflect-metadata';
import { createPublicKey, randomUUID, X509Certificate } from 'node:crypto';
import type { CertificateRequest, KeyPair, Page, Problem } from '#lib/contracts';
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCertificateAuthority, type CertificateAuthority } from '../../../../test/support/certificates.js';
import { RulesHouse } from '../../../../test/support/rules-house.js';

let house: RulesHouse;
let authority: CertificateAuthority;
beforeAll(async () => {
  house = await RulesHouse.open();
  authority = await createCertificateAuthority('Bank CA');
});
afterAll(() => house?.close());

const algorithms = ['RSA 2048', 'RSA 3072', 'RSA 4096', 'EC P-256', 'EC P-384'] as const;
const names = ['DNS:client.example', 'URI:https://client.example/a', 'IP:192.0.2.7', 'email:ops@client.example'];
const generate = (over: object = {}) =>
  house.admin.create<KeyPair>('key-pairs', {
    alias: `Pair ${randomUUID()}`,
    generate: { subject: 'CN=client.example, O=Example, C=DE', subjectAlternativeNames: names, ...over },
  });
const requestOf = async ({ id }: KeyPair) =>
  (await house.admin.call<CertificateRequest>('GET', `/v1/key-pairs/${id}/csr`)).body.csr;
const replace = ({ id }: { id: string }, certificate: string, headers = {}) =>
  house.admin.call<KeyPair>('PUT', `/v1/key-pairs/${id}/certificate`, { certificate }, headers);
const certificateOf = (pair: KeyPair) => new X509Certificate(pair.certificateChain[0]!);

describe('a generated key pair', () => {
  // Large primes take their time on a busy machine.
  it.each(algorithms)(
    'has a key of %s, a certificate that it signed itself, and asks for another one',
    async (keyAlgorithm) => {
      const pair = await generate({ keyAlgorithm, validDays: 60 });
      expect(pair).toMatchObject({
        keyAlgorithm,
        status: 'valid',
        warnings: [],
        usedBy: { rules: [], tokenProviders: [] },
      });
      expect(pair.subject).toBe('CN=client.example, O=Example, C=DE');
      expect([...pair.subjectAlternativeNames].sort()).toEqual(
        [
          'DNS:client.example',
          'IP Address:192.0.2.7',
          'URI:https://client.example/a',
          'email:ops@client.example',
        ].sort(),
      );
      const certificate = certificateOf(pair);
      expect([certificate.verify(certificate.publicKey), certificate.ca]).toEqual([true, false]);
      expect(Date.parse(pair.notAfter) - Date.now()).toBeGreaterThan(59 * 86_400_000);
      expect(JSON.stringify(pair)).not.toContain('PRIVATE');
      await asksForItself(pair);
    },
    120_000,
  );

  /** Its request for a certificate is signed by the key, and has the same names. */
  async function asksForItself(pair: KeyPair): Promise<void> {
    const request = new Pkcs10CertificateRequest(await requestOf(pair));
    expect(await request.verify()).toBe(true);
    const spki = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
    expect(spki.equals(certificateOf(pair).publicKey)).toBe(true);
    expect(request.subject).toBe('C=DE, O=Example, CN=client.example');
    const asked = request.extensions.find((one) => one instanceof SubjectAlternativeNameExtension);
    expect(asked!.names.items).toHaveLength(4);
  }

  it.each([
    ['no name', { subject: 'client' }],
    ['an unknown part of a name', { subject: 'XYZ=client' }],
    ['an address that is none', { subjectAlternativeNames: ['IP:client.example'] }],
    ['a kind of name that is none', { subjectAlternativeNames: ['host:client.example'] }],
    ['a weak key', { keyAlgorithm: 'RSA 1024' }],
    ['a life of ten years', { validDays: 3_650 }],
  ])('is refused with %s', async (_, over) => {
    const body = { alias: randomUUID(), generate: { subject: 'CN=client.example', ...over } };
    expect((await house.admin.call('POST', '/v1/key-pairs', body)).status).toBe(422);
  });
});

describe('a request for a certificate', () => {
  it('is answered by a certificate that takes the place of the one before', async () => {
    const pair = await generate();
    const signed = await authority.sign(await requestOf(pair));
    const { status, headers, body } = await replace(pair, authority.certificatePem + signed);
    expect([status, headers.get('etag')]).toEqual([200, '"2"']);
    expect(body).toMatchObject({ id: pair.id, issuer: 'CN=Bank CA', keyAlgorithm: 'EC P-256', status: 'expiring' });
    expect(body.certificateChain.map((pem) => new X509Certificate(pem).subject.split('\n').at(-1))).toEqual([
      'CN=client.example',
      'CN=Bank CA',
    ]);
    expect((await house.admin.call<KeyPair>('GET', `/v1/key-pairs/${pair.id}`)).body).toEqual(body);
  });

  it('is not answered by what belongs to another key, has expired, is weak, or is none; nothing changes', async () => {
    const [pair, other] = [await generate(), await generate()];
    const request = await requestOf(pair);
    const refused: [string, string][] = [
      [await authority.sign(await requestOf(other)), 'belongs'],
      [await authority.sign(request, { notAfter: new Date(Date.now() - 1_000) }), 'expired'],
      [await authority.sign(request, { hash: 'SHA-1' }), 'not safe'],
      [authority.certificatePem, 'belongs'],
      ['nothing', 'no certificate'],
    ];
    for (const [certificate, words] of refused) {
      const answer = await replace(pair, certificate);
      expect(answer).toMatchObject({
        status: 422,
        body: { code: 'invalid_key_pair', errors: [{ pointer: '/certificate' }] },
      });
      expect((answer.body as unknown as Problem).detail).toContain(words);
    }
    expect((await house.admin.call<KeyPair>('GET', `/v1/key-pairs/${pair.id}`)).body).toEqual(pair);
  });

  it('is for a key pair that is there, at the version that the caller knows', async () => {
    const pair = await generate();
    const signed = await authority.sign(await requestOf(pair));
    expect((await replace(pair, signed, { 'if-match': '"7"' })).status).toBe(412);
    expect((await replace({ id: randomUUID() }, signed)).status).toBe(404);
    expect((await house.admin.call('GET', `/v1/key-pairs/${randomUUID()}/csr`)).status).toBe(404);
    expect((await house.admin.call('GET', '/v1/key-pairs/nothing/csr')).status).toBe(404);
    expect((await replace(pair, signed, { 'if-match': '"1"' })).status).toBe(200);
  });
});

it('says who uses a key pair, and a new certificate is used by what comes with it', async () => {
  const pair = await generate();
  const rule = await house.rule({ clientCredentials: { type: 'mutual-tls', keyPairId: pair.id } });
  const provider = (await house.admin.call<{ name: string }>('GET', `/v1/token-providers/${rule.tokenProviderId}`))
    .body;
  const { body } = await house.admin.call<KeyPair>('GET', `/v1/key-pairs/${pair.id}`);
  expect(body.usedBy).toEqual({
    rules: [{ id: rule.id, name: rule.name }],
    tokenProviders: [{ id: rule.tokenProviderId, name: provider.name }],
  });
  const { body: page } = await house.admin.call<Page<KeyPair>>('GET', '/v1/key-pairs?limit=100');
  expect(page.data.find(({ id }) => id === pair.id)).toEqual(body);
  await replace(pair, await authority.sign(await requestOf(pair)));
  const after = await house.database.registrations.load(rule);
  // Whatever was prepared with the certificate before it goes: its version is in the key.
  expect(after.key).toBe(`${rule.id}:${rule.version}:2`);
  expect(after.credentials).toMatchObject({
    type: 'mutual-tls',
    certificateChainPem: expect.not.stringContaining(pair.certificateChain[0]!),
  });
});
