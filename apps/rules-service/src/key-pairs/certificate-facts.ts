import type { X509Certificate } from 'node:crypto';
import type { KeyPairFacts } from '#lib/persistence';

/** What a certificate says about itself. */
export const certificateFacts = (certificate: X509Certificate): Omit<KeyPairFacts, 'keyAlgorithm' | 'warnings'> => ({
  subject: distinguishedName(certificate.subject),
  issuer: distinguishedName(certificate.issuer),
  serialNumber: certificate.serialNumber,
  notBefore: new Date(certificate.validFrom).toISOString(),
  notAfter: new Date(certificate.validTo).toISOString(),
  sha256Fingerprint: certificate.fingerprint256,
  subjectAlternativeNames: alternativeNames(certificate.subjectAltName),
});

// One line per part, the most general first; RFC 4514 writes the most specific first.
const distinguishedName = (lines: string | undefined): string => (lines ?? '').split('\n').reverse().join(', ');

// `DNS:a, URI:"with, comma"`: a value that needs quotes is written as JSON.
const alternativeNames = (text: string | undefined): string[] =>
  [...(text ?? '').matchAll(/(?:^|, )([A-Za-z][A-Za-z ]*:(?:"(?:[^"\\]|\\.)*"|[^,]*))/g)].map(([, name]) => name!);
