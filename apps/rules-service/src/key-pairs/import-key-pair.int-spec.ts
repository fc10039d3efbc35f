import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyPairImport } from '#lib/contracts';
import { ProblemError } from '#lib/runtime';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import forge from 'node-forge';
import { importKeyPair } from './import-key-pair.js';

// Real files of a real openssl: nothing here trusts our own idea of the formats. No package of npm brings one, so a
// system without it skips these tests.
const describeWithOpenssl = spawnSync('openssl', ['version']).status === 0 ? describe : describe.skip;
let dir: string;
const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
const text = (file: string): string => readFileSync(join(dir, file), 'utf8');
const base64 = (file: string): string => readFileSync(join(dir, file)).toString('base64');
// Certificates are made while the tests begin: an hour later all of them are valid, whatever the second.
const now = new Date(Date.now() + 3_600_000);

describeWithOpenssl('an imported key pair', () => {
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'key-pairs-'));
    const extensions = 'basicConstraints=critical,CA:true';
    const names = 'subjectAltName=DNS:client.example,URI:https://client.example/a,email:ops@example.com';
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'root.key',
      '-out',
      'root.crt',
      '-subj',
      '/CN=Root',
      '-addext',
      extensions,
    );
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'mid.key',
      '-out',
      'mid.csr',
      '-subj',
      '/CN=Intermediate',
      '-addext',
      extensions,
    );
    openssl(
      'x509',
      '-req',
      '-in',
      'mid.csr',
      '-CA',
      'root.crt',
      '-CAkey',
      'root.key',
      '-out',
      'mid.crt',
      '-days',
      '90',
      '-copy_extensions',
      'copy',
    );
    for (const [kind, ...key] of [
      ['rsa', 'rsa:2048'],
      ['ec', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
      ['weak', 'rsa:1024'],
      ['small', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-224'],
      ['koblitz', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
      ['ed', 'ed25519'],
    ] as const) {
      openssl(
        'req',
        '-newkey',
        ...key,
        '-nodes',
        '-keyout',
        `${kind}.key`,
        '-out',
        `${kind}.csr`,
        '-subj',
        `/C=DE/O=Bank, Inc/CN=${kind} client`,
        '-addext',
        names,
      );
      openssl(
        'x509',
        '-req',
        '-in',
        `${kind}.csr`,
        '-CA',
        'mid.crt',
        '-CAkey',
        'mid.key',
        '-out',
        `${kind}.crt`,
        '-days',
        '90',
        '-copy_extensions',
        'copy',
      );
    }
    writeFileSync(join(dir, 'chain.crt'), text('root.crt') + text('mid.crt'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const importPem = (certificate: string, privateKey: string, password?: string) =>
    importKeyPair(keyPairImport.parse({ alias: 'a', pem: { certificate, privateKey }, password }), now);
  const importPkcs12 = (file: string, password?: string) =>
    importKeyPair(keyPairImport.parse({ alias: 'a', pkcs12: base64(file), password }), now);
  const exportPkcs12 = (kind: string, file: string, password: string, ...options: string[]): void =>
    openssl(
      'pkcs12',
      '-export',
      '-in',
      `${kind}.crt`,
      '-inkey',
      `${kind}.key`,
      '-certfile',
      'chain.crt',
      '-out',
      file,
      '-passout',
      `pass:${password}`,
      ...options,
    );
  const problemOf = (work: () => unknown): { code: string; pointer: string | undefined; detail: string } => {
    try {
      work();
    } catch (error) {
      if (error instanceof ProblemError) {
        return { code: error.code, pointer: error.extras.errors?.[0]?.pointer, detail: error.detail };
      }
      throw error;
    }
    throw new Error('It was imported.');
  };
  const expectWhole = (kind: string, pair: ReturnType<typeof importKeyPair>): void => {
    const subjects = pair.certificateChainPem.map((pem) => new X509Certificate(pem).subject.split('\n').at(-1));
    expect(subjects).toEqual([`CN=${kind} client`, 'CN=Intermediate', 'CN=Root']);
    expect(pair.privateKeyPem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    const key = createPrivateKey(pair.privateKeyPem);
    expect(new X509Certificate(pair.certificateChainPem[0]!).checkPrivateKey(key)).toBe(true);
    expect(pair.facts.warnings).toEqual([]);
  };

  describe('PEM', () => {
    it.each(['rsa', 'ec'])('of an %s key is imported, its chain put in order', (kind) => {
      expectWhole(kind, importPem(text('root.crt') + text(`${kind}.crt`) + text('mid.crt'), text(`${kind}.key`)));
    });

    it('says what the certificate says', () => {
      const { facts } = importPem(text('ec.crt'), text('ec.key'));
      expect(facts).toMatchObject({
        subject: 'CN=ec client, O=Bank\\, Inc, C=DE',
        issuer: 'CN=Intermediate',
        keyAlgorithm: 'EC P-384',
        subjectAlternativeNames: ['DNS:client.example', 'URI:https://client.example/a', 'email:ops@example.com'],
      });
      expect(facts.sha256Fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
      expect(new Date(facts.notAfter).getTime() - new Date(facts.notBefore).getTime()).toBe(90 * 86_400_000);
      expect(importPem(text('rsa.crt'), text('rsa.key')).facts.keyAlgorithm).toBe('RSA 2048');
    });

    it.each([
      ['PBES2 and AES', ['pkcs8', '-topk8', '-v2', 'aes-256-cbc']],
      ['PBES2 and scrypt', ['pkcs8', '-topk8', '-scrypt']],
      ['PBES1 and triple DES', ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES']],
      ['PBES1 and RC2', ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-RC2-40', '-provider', 'legacy', '-provider', 'default']],
      ['the traditional format', ['pkey', '-traditional', '-aes128']],
    ])('of a key encrypted with %s is opened', (_, command) => {
      for (const kind of ['rsa', 'ec']) {
        openssl(...command, '-in', `${kind}.key`, '-out', 'sealed.key', '-passout', 'pass:sécret');
        const bundle = text(`${kind}.crt`) + text('chain.crt');
        expectWhole(kind, importPem(bundle, text('sealed.key'), 'sécret'));
        expect(problemOf(() => importPem(bundle, text('sealed.key'), 'wrong'))).toMatchObject({
          code: 'invalid_key_pair',
          pointer: '/password',
        });
        expect(problemOf(() => importPem(bundle, text('sealed.key')))).toMatchObject({
          pointer: '/password',
          detail: expect.stringContaining('encrypted'),
        });
      }
    });

    it('of a key with its curve before it is opened', () => {
      openssl('ecparam', '-name', 'prime256v1', '-genkey', '-out', 'param.key');
      openssl('req', '-x509', '-key', 'param.key', '-out', 'param.crt', '-subj', '/CN=param');
      expect(text('param.key')).toContain('EC PARAMETERS');
      expect(importPem(text('param.crt'), text('param.key')).facts.keyAlgorithm).toBe('EC P-256');
    });

    it('leaves out what does not belong to the chain, and says so', () => {
      const pair = importPem(text('rsa.crt') + text('ec.crt') + text('mid.crt'), text('rsa.key'));
      expect(pair.certificateChainPem).toHaveLength(2);
      expect(pair.facts.warnings).toEqual([expect.stringContaining('1 of the certificates')]);
    });

    it('refuses an expired certificate, and takes one that is not yet valid with a warning', () => {
      const inAYear = new Date(now.getTime() + 365 * 86_400_000);
      const aYearAgo = new Date(now.getTime() - 365 * 86_400_000);
      const body = { alias: 'a', pem: { certificate: text('rsa.crt'), privateKey: text('rsa.key') } };
      expect(problemOf(() => importKeyPair(body, inAYear))).toMatchObject({
        code: 'invalid_key_pair',
        pointer: '/pem/certificate',
        detail: expect.stringContaining('expired on'),
      });
      expect(importKeyPair(body, aYearAgo).facts.warnings).toEqual([expect.stringContaining('not valid before')]);
    });

    it('refuses a key that belongs to none of the certificates', () => {
      expect(problemOf(() => importPem(text('rsa.crt'), text('ec.key')))).toMatchObject({
        code: 'invalid_key_pair',
        pointer: '/pem/privateKey',
        detail: expect.stringContaining('belongs'),
      });
    });

    it.each([
      ['weak', '1024 bits'],
      ['small', 'secp224r1'],
      ['koblitz', 'secp256k1'],
      ['ed', 'ed25519'],
    ])('refuses the %s key', (kind, words) => {
      const problem = problemOf(() => importPem(text(`${kind}.crt`), text(`${kind}.key`)));
      expect(problem.code).toBe('invalid_key_pair');
      expect(problem.detail).toContain(words);
    });

    it.each([
      ['/pem/certificate', 'nothing', undefined],
      ['/pem/certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', undefined],
      ['/pem/privateKey', undefined, 'nothing'],
      ['/pem/privateKey', undefined, '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'],
      [
        '/pem/privateKey',
        undefined,
        '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----',
      ],
    ])('that cannot be read is refused at %s', (pointer, certificate, privateKey) => {
      const work = () => importPem(certificate ?? text('rsa.crt'), privateKey ?? text('rsa.key'), 'x');
      expect(problemOf(work)).toMatchObject({ code: 'invalid_key_pair', pointer });
    });

    it('refuses a bundle without end', () => {
      expect(problemOf(() => importPem(text('rsa.crt').repeat(21), text('rsa.key'))).pointer).toBe('/pem/certificate');
    });

    it('refuses a key whose password takes minutes to try', () => {
      openssl('pkcs8', '-topk8', '-iter', '5000000', '-in', 'rsa.key', '-out', 'slow.key', '-passout', 'pass:x');
      expect(problemOf(() => importPem(text('rsa.crt'), text('slow.key'), 'x')).detail).toContain('rounds');
    });
  });

  describe('PKCS#12', () => {
    const legacy = ['-legacy'];
    const mixed = ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'];
    const strong = ['-keypbe', 'aes-128-cbc', '-certpbe', 'aes-256-cbc', '-macalg', 'sha512', '-iter', '10000'];
    const open = ['-keypbe', 'NONE', '-certpbe', 'NONE'];

    it.each([
      ['by default', []],
      ['the legacy way', legacy],
      ['with triple DES', mixed],
      ['with AES and SHA-512', strong],
      ['without encryption', open],
    ] as const)('exported %s is imported', (_, options) => {
      for (const kind of ['rsa', 'ec']) {
        exportPkcs12(kind, 'pair.p12', 'secret', ...options);
        expectWhole(kind, importPkcs12('pair.p12', 'secret'));
        expect(problemOf(() => importPkcs12('pair.p12', 'wrong'))).toMatchObject({
          code: 'invalid_key_pair',
          pointer: '/password',
        });
        expect(problemOf(() => importPkcs12('pair.p12'))).toMatchObject({ pointer: '/password' });
      }
    });

    it.each([
      ['by default', []],
      ['the legacy way', legacy],
    ])('exported %s opens with a password beyond ASCII, and with none', (_, options) => {
      exportPkcs12('ec', 'beyond.p12', 'pässwörd€', ...options);
      expectWhole('ec', importPkcs12('beyond.p12', 'pässwörd€'));
      expect(problemOf(() => importPkcs12('beyond.p12', 'pässwörd'))).toMatchObject({ pointer: '/password' });
      exportPkcs12('ec', 'none.p12', '', ...options);
      expectWhole('ec', importPkcs12('none.p12'));
    });

    it('without a key, or without a certificate, is refused', () => {
      openssl('pkcs12', '-export', '-nokeys', '-in', 'rsa.crt', '-out', 'no-key.p12', '-passout', 'pass:x');
      openssl('pkcs12', '-export', '-nocerts', '-inkey', 'rsa.key', '-out', 'no-cert.p12', '-passout', 'pass:x');
      expect(problemOf(() => importPkcs12('no-key.p12', 'x')).detail).toContain('0 private keys');
      expect(problemOf(() => importPkcs12('no-cert.p12', 'x')).detail).toContain('no certificate');
    });

    it('with a weak key is refused', () => {
      exportPkcs12('weak', 'weak.p12', 'x');
      expect(problemOf(() => importPkcs12('weak.p12', 'x')).detail).toContain('1024 bits');
    });

    it('that takes minutes to open is refused', () => {
      exportPkcs12('rsa', 'slow.p12', 'x', '-iter', '2000000', '-nomaciter');
      expect(problemOf(() => importPkcs12('slow.p12', 'x')).detail).toContain('rounds');
    });

    it('that is none is refused', () => {
      for (const bytes of ['', 'hello', '\u0030\u0080', '0\u0003\u0002\u0001\u0003']) {
        const body = { alias: 'a', pkcs12: Buffer.from(bytes, 'latin1').toString('base64'), password: 'x' };
        expect(problemOf(() => importKeyPair(body, now))).toMatchObject({
          code: 'invalid_key_pair',
          pointer: '/pkcs12',
        });
      }
    });

    it('cut anywhere is refused', () => {
      exportPkcs12('ec', 'whole.p12', 'x');
      const whole = readFileSync(join(dir, 'whole.p12'));
      for (let length = 0; length < whole.length; length += 97) {
        const body = { alias: 'a', pkcs12: whole.subarray(0, length).toString('base64'), password: 'x' };
        expect(problemOf(() => importKeyPair(body, now)).code).toBe('invalid_key_pair');
      }
    });

    it('changed anywhere is refused or is what it was', () => {
      exportPkcs12('ec', 'whole.p12', 'x');
      const whole = readFileSync(join(dir, 'whole.p12'));
      const original = importPkcs12('whole.p12', 'x');
      for (let at = 0; at < whole.length; at += 41) {
        const changed = Buffer.from(whole);
        changed[at]! ^= 0x55;
        try {
          const pair = importKeyPair({ alias: 'a', pkcs12: changed.toString('base64'), password: 'x' }, now);
          expect(pair.privateKeyPem).toBe(original.privateKeyPem);
        } catch (error) {
          expect(error).toBeInstanceOf(ProblemError);
        }
      }
    });

    it('is written by others as well', () => {
      const keys = forge.pki.rsa.generateKeyPair({ bits: 2048, workers: -1 });
      const certificate = forge.pki.createCertificate();
      certificate.publicKey = keys.publicKey;
      certificate.validity.notAfter = new Date(now.getTime() + 86_400_000);
      certificate.setSubject([{ name: 'commonName', value: 'by forge' }]);
      certificate.setIssuer([{ name: 'commonName', value: 'by forge' }]);
      certificate.sign(keys.privateKey, forge.md.sha256.create());
      const file = forge.asn1.toDer(forge.pkcs12.toPkcs12Asn1(keys.privateKey, [certificate], 'x')).getBytes();
      const pkcs12 = Buffer.from(file, 'latin1').toString('base64');
      expect(importKeyPair({ alias: 'a', pkcs12, password: 'x' }, now).facts.subject).toBe('CN=by forge');
    });
  });
});
