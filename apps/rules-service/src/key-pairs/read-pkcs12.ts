import { X509Certificate, type KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { invalidMember } from '../http/invalid-member.js';
import { refuseCostlyDerivation } from './derivation-cost.js';
import { maxCertificates, type KeyMaterial } from './key-material.js';
import { privateKeyFrom } from './read-pem.js';

const { oids } = forge.pki;
type Bag = forge.pkcs12.Bag & { readonly asn1?: forge.asn1.Asn1 };

/**
 * Reads a PKCS#12 file (RFC 7292), sealed by old or by new algorithms.
 *
 * @throws ProblemError `invalid_key_pair`
 */
export function readPkcs12(base64: string, password: string | undefined): KeyMaterial {
  const file = parsedFile(base64);
  refuseCostlyDerivation(file, '/pkcs12');
  const bags = opened(file, password ?? '').safeContents.flatMap(({ safeBags }) => safeBags as Bag[]);
  const keys = bags.filter(({ type }) => type === oids['keyBag'] || type === oids['pkcs8ShroudedKeyBag']);
  const certificates = bags.filter(({ type }) => type === oids['certBag']);
  if (keys.length !== 1) {
    throw refused('/pkcs12', `The file holds ${keys.length} private keys. Export exactly one, with its certificate.`);
  }
  if (certificates.length === 0)
    throw refused('/pkcs12', 'The file holds no certificate. Export the key with its own.');
  if (certificates.length > maxCertificates) {
    throw refused('/pkcs12', `The file holds more than ${maxCertificates} certificates.`);
  }
  return { privateKey: keyOf(keys[0]!), certificates: certificates.map(certificateOf) };
}

function parsedFile(base64: string): forge.asn1.Asn1 {
  try {
    return forge.asn1.fromDer(Buffer.from(base64, 'base64').toString('latin1'));
  } catch {
    throw refused('/pkcs12', 'This is not a PKCS#12 file in base64.');
  }
}

function opened(file: forge.asn1.Asn1, password: string): forge.pkcs12.Pkcs12Pfx {
  try {
    return forge.pkcs12.pkcs12FromAsn1(file, false, password);
  } catch (error) {
    const { message } = error as Error;
    // The integrity check takes a password as UTF-16, and new encryption takes it as UTF-8 (RFC 7292 §B, RFC 8018 §3).
    if (!/MAC/.test(message) && !isAscii(password)) return openedWithUtf8(file, password);
    throw explained(message);
  }
}

// Only after the integrity check has passed with the password as it is: here it is left out.
function openedWithUtf8(file: forge.asn1.Asn1, password: string): forge.pkcs12.Pkcs12Pfx {
  try {
    const withoutMac = { ...file, value: (file.value as forge.asn1.Asn1[]).slice(0, 2) };
    return forge.pkcs12.pkcs12FromAsn1(withoutMac, false, forge.util.encodeUtf8(password));
  } catch (error) {
    throw explained((error as Error).message);
  }
}

function explained(message: string) {
  if (/MAC could not be verified|decrypt|password/i.test(message)) {
    return refused('/password', 'The file does not open with this password.');
  }
  if (/unsupported|only/i.test(message)) {
    return refused(
      '/pkcs12',
      'The file is sealed in a way that is not supported. Export it again with openssl pkcs12.',
    );
  }
  return refused('/pkcs12', 'This is not a PKCS#12 file that can be read.');
}

function keyOf({ key, asn1 }: Bag): KeyObject {
  try {
    // The library understands RSA keys; any other comes as the structure that it was.
    return privateKeyFrom(asn1 ?? forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(key!)));
  } catch {
    throw refused('/pkcs12', 'The private key in the file cannot be read.');
  }
}

function certificateOf({ cert, asn1 }: Bag): X509Certificate {
  try {
    const der = forge.asn1.toDer(asn1 ?? forge.pki.certificateToAsn1(cert!)).getBytes();
    return new X509Certificate(Buffer.from(der, 'latin1'));
  } catch {
    throw refused('/pkcs12', 'A certificate in the file cannot be read.');
  }
}

const isAscii = (text: string): boolean => /^[\u0000-\u007F]*$/.test(text);

const refused = (pointer: string, detail: string) => invalidMember(pointer, detail, 'invalid_key_pair');
