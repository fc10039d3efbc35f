import 'reflect-metadata';
import { generateKeyPair as generate, randomBytes, X509Certificate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyPairGeneration } from '#lib/contracts';
import type { NewKeyPair } from '#lib/persistence';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { invalidMember } from '../http/invalid-member.js';
import { certifiedKey } from './certified-key.js';
import { webKey } from './web-key.js';

const generation = promisify(generate);

const newPrivateKey: Readonly<Record<KeyPairGeneration['keyAlgorithm'], () => Promise<KeyObject>>> = {
  'RSA 2048': () => newRsaKey(2048),
  'RSA 3072': () => newRsaKey(3072),
  'RSA 4096': () => newRsaKey(4096),
  'EC P-256': async () => (await generation('ec', { namedCurve: 'P-256' })).privateKey,
  'EC P-384': async () => (await generation('ec', { namedCurve: 'P-384' })).privateKey,
};

/**
 * Makes a private key and a certificate that it signs itself: to be registered as it is (RFC 8705 §2.2), or until an
 * authority has answered the request for one.
 *
 * @throws ProblemError `invalid_key_pair` for a name that cannot be read
 */
export async function generateKeyPair(alias: string, wish: KeyPairGeneration, now: Date): Promise<NewKeyPair> {
  const name = readName(wish.subject);
  const alternatives = alternativeNames(wish.subjectAlternativeNames);
  const privateKey = await newPrivateKey[wish.keyAlgorithm]();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name,
    // A minute for clocks that are behind.
    notBefore: new Date(now.getTime() - 60_000),
    notAfter: new Date(now.getTime() + wish.validDays * 86_400_000),
    ...(await webKey(privateKey)),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
      ...alternatives,
    ],
  });
  const pointers = { key: '/generate', certificate: '/generate' };
  return {
    alias,
    ...certifiedKey(privateKey, [new X509Certificate(Buffer.from(certificate.rawData))], now, pointers),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

async function newRsaKey(modulusLength: number): Promise<KeyObject> {
  return (await generation('rsa', { modulusLength })).privateKey;
}

// Positive, and not zero (RFC 5280 §4.1.2.2).
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}

// Written with the most specific part first (RFC 4514 §2.1), encoded with the most general one first.
function readName(subject: string): Name {
  try {
    const parts = new Name(subject).toJSON();
    if (parts.length > 0) return new Name([...parts].reverse());
  } catch {
    // Said below, for an empty one as well.
  }
  throw invalidMember('/generate/subject', 'Write it as CN=client.example, O=Example, C=DE.', 'invalid_key_pair');
}

const kinds: Readonly<Record<string, JsonGeneralNames[number]['type']>> = {
  DNS: 'dns',
  URI: 'url',
  IP: 'ip',
  email: 'email',
};

function alternativeNames(names: readonly string[]): SubjectAlternativeNameExtension[] {
  if (names.length === 0) return [];
  try {
    const parsed = names.map((name) => {
      const at = name.indexOf(':');
      return { type: kinds[name.slice(0, at)]!, value: name.slice(at + 1) };
    });
    return [new SubjectAlternativeNameExtension(parsed)];
  } catch {
    const detail = 'One of the names cannot be written into a certificate.';
    throw invalidMember('/generate/subjectAlternativeNames', detail, 'invalid_key_pair');
  }
}
