import 'reflect-metadata';
import { createHash, randomBytes, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  type JsonGeneralNames,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate with its private key, both in PEM. */
export interface CertifiedKey {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** As `tls` shows it: SHA-256, colons between the bytes. */
  readonly fingerprint256: string;
}

/** What a certificate says. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly names?: JsonGeneralNames;
  /** Valid for a day around now when left out. */
  readonly notAfter?: Date;
}

/** Issues certificates that one test trusts. */
export interface CertificateAuthority {
  readonly certificatePem: string;
  /** Issues a certificate for a server or a client. */
  issue(request: CertificateRequest): Promise<CertifiedKey>;
  /** Answers a request (PKCS#10, PEM) with a certificate for the key and the names that it has; PEM. */
  sign(request: string, over?: { readonly notAfter?: Date; readonly hash?: string }): Promise<string>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 86_400_000;

/** Makes an authority that exists in memory only. */
export async function createCertificateAuthority(commonName: string): Promise<CertificateAuthority> {
  const keys = await newKeys();
  const authority = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(8).toString('hex'),
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
    ...validity(),
  });
  return {
    certificatePem: authority.toString('pem'),
    sign: async (pem, { notAfter, hash = 'SHA-256' } = {}) => {
      const request = new Pkcs10CertificateRequest(pem);
      const certificate = await X509CertificateGenerator.create({
        serialNumber: randomBytes(8).toString('hex'),
        subject: request.subject,
        issuer: authority.subject,
        publicKey: request.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: { ...algorithm, hash },
        extensions: request.extensions,
        ...validity(notAfter),
      });
      return certificate.toString('pem');
    },
    issue: async (request) => {
      const ownKeys = await newKeys();
      const certificate = await X509CertificateGenerator.create({
        serialNumber: randomBytes(8).toString('hex'),
        subject: `CN=${request.commonName}`,
        issuer: authority.subject,
        publicKey: ownKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: request.names === undefined ? [] : [new SubjectAlternativeNameExtension(request.names)],
        ...validity(request.notAfter),
      });
      return {
        certificatePem: certificate.toString('pem'),
        privateKeyPem: await privatePem(ownKeys.privateKey),
        fingerprint256: fingerprint(certificate.rawData),
      };
    },
  };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

function validity(notAfter = new Date(Date.now() + dayMs)) {
  return { notBefore: new Date(Math.min(Date.now(), notAfter.getTime()) - dayMs), notAfter };
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
}

function fingerprint(der: ArrayBuffer): string {
  const hex = createHash('sha256').update(new Uint8Array(der)).digest('hex').toUpperCase();
  return (hex.match(/../g) ?? []).join(':');
}
