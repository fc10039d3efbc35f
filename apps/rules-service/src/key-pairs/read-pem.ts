import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { invalidMember } from '../http/invalid-member.js';
import { refuseCostlyDerivation } from './derivation-cost.js';
import { maxCertificates, type KeyMaterial } from './key-material.js';

const certificateBlock =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const privateKeyBlock = /-----BEGIN ((?:ENCRYPTED |RSA |EC )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/;

/**
 * Reads a certificate with its chain, and a private key, from PEM.
 *
 * @throws ProblemError `invalid_key_pair`
 */
export function readPem(
  pem: { readonly certificate: string; readonly privateKey: string },
  password: string | undefined,
): KeyMaterial {
  return {
    certificates: certificatesIn(pem.certificate, '/pem/certificate'),
    privateKey: privateKeyIn(pem.privateKey, password),
  };
}

/**
 * The certificates in a text in PEM, in their order.
 *
 * @throws ProblemError `invalid_key_pair`
 */
export function certificatesIn(text: string, pointer: string): X509Certificate[] {
  const blocks = text.match(certificateBlock) ?? [];
  if (blocks.length === 0) throw refused(pointer, 'There is no certificate in PEM here.');
  if (blocks.length > maxCertificates) {
    throw refused(pointer, `There are more than ${maxCertificates} certificates here.`);
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw refused(pointer, `Certificate ${index + 1} cannot be read.`);
    }
  });
}

function privateKeyIn(text: string, password: string | undefined): KeyObject {
  const match = privateKeyBlock.exec(text);
  if (match === null) throw refused('/pem/privateKey', 'There is no private key in PEM here.');
  const [block, kind] = match;
  const encrypted = kind === 'ENCRYPTED PRIVATE KEY' || block.includes('ENCRYPTED');
  if (encrypted && password === undefined)
    throw refused('/password', 'The private key is encrypted. Give its password.');
  if (kind === 'ENCRYPTED PRIVATE KEY') refuseCostlyDerivation(structureOf(block), '/pem/privateKey');
  const key = decrypted(block, password) ?? decryptedTheOldWay(block, password);
  if (key !== null) return key;
  throw encrypted
    ? refused('/password', 'The private key does not open with this password.')
    : refused('/pem/privateKey', 'The private key cannot be read.');
}

function decrypted(block: string, passphrase: string | undefined): KeyObject | null {
  try {
    return createPrivateKey({ key: block, format: 'pem', ...(passphrase !== undefined && { passphrase }) });
  } catch {
    return null;
  }
}

// OpenSSL 3 has put DES and RC2 aside; keys that are sealed with them are still about.
function decryptedTheOldWay(block: string, password: string | undefined): KeyObject | null {
  try {
    const opened = forge.pki.decryptPrivateKeyInfo(structureOf(block), password ?? '') as forge.asn1.Asn1 | null;
    return opened === null ? null : privateKeyFrom(opened);
  } catch {
    return null;
  }
}

function structureOf(block: string): forge.asn1.Asn1 {
  try {
    const bytes = Buffer.from(block.replace(/-----[^-]+-----/g, ''), 'base64').toString('latin1');
    return forge.asn1.fromDer(bytes);
  } catch {
    throw refused('/pem/privateKey', 'The private key cannot be read.');
  }
}

/** A private key from a PrivateKeyInfo (RFC 5958). */
export const privateKeyFrom = (info: forge.asn1.Asn1): KeyObject =>
  createPrivateKey({ key: Buffer.from(forge.asn1.toDer(info).getBytes(), 'latin1'), format: 'der', type: 'pkcs8' });

const refused = (pointer: string, detail: string) => invalidMember(pointer, detail, 'invalid_key_pair');
