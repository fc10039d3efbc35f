import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { randomBytes, webcrypto } from 'node:crypto';
import { MTLS_CLIENT_DNS_NAME } from './clients.js';

/** A certificate with its private key, both PEM; the key is PKCS #8. */
export interface CertifiedKey {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** The private certificate authority of one sandbox and everything that it has certified. */
export interface SandboxPki {
  readonly authority: CertifiedKey;
  readonly server: CertifiedKey;
  /** For `tls_client_auth`: issued by the authority, recognised by its subject alternative name. */
  readonly client: CertifiedKey;
  /** For `self_signed_tls_client_auth`: recognised by its key. */
  readonly selfSignedClient: CertifiedKey;
}

interface Issued {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const VALID_DAYS = 3650;

/** Makes a new authority and its certificates; the server's are valid for `hostname` and for loopback. */
export async function createPki(hostname: string): Promise<SandboxPki> {
  const authority = await createAuthority();
  const server = await certify('Assent Sandbox', authority, [
    new x509.SubjectAlternativeNameExtension(serverNames(hostname)),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
  ]);
  const client = await certify('Assent', authority, [
    new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: MTLS_CLIENT_DNS_NAME }]),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ]);
  return {
    authority: await toPem(authority),
    server: await toPem(server),
    client: await toPem(client),
    selfSignedClient: await toPem(await createSelfSignedClient()),
  };
}

/** Whether the server certificate can be shown under this host name today and for the next month. */
export function pkiFits(pki: SandboxPki, hostname: string): boolean {
  const certificate = new x509.X509Certificate(pki.server.certificatePem);
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  const nextMonth = Date.now() + 30 * DAY_MS;
  return names.some(({ value }) => value === hostname) && certificate.notAfter.getTime() > nextMonth;
}

async function createAuthority(): Promise<Issued> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: 'CN=Assent Sandbox Authority',
    keys,
    signingAlgorithm: ECDSA,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys };
}

async function certify(commonName: string, authority: Issued, extensions: x509.Extension[]): Promise<Issued> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(),
    subject: `CN=${commonName}`,
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: ECDSA,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
      ...extensions,
    ],
  });
  return { certificate, keys };
}

async function createSelfSignedClient(): Promise<Issued> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: 'CN=Assent (self-signed)',
    keys,
    signingAlgorithm: ECDSA,
    extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
  });
  return { certificate, keys };
}

function generateKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
}

function validity(): { serialNumber: string; notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return {
    // The leading zero keeps the number positive (RFC 5280 §4.1.2.2).
    serialNumber: `00${randomBytes(15).toString('hex')}`,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + VALID_DAYS * DAY_MS),
  };
}

function serverNames(hostname: string): x509.JsonGeneralNames {
  const isAddress = /^[\d.]+$|:/.test(hostname);
  const own: x509.JsonGeneralNames = [{ type: isAddress ? 'ip' : 'dns', value: hostname }];
  const loopback: x509.JsonGeneralNames = [
    { type: 'dns', value: 'localhost' },
    { type: 'ip', value: '127.0.0.1' },
  ];
  return [...own, ...loopback.filter(({ value }) => value !== hostname)];
}

async function toPem({ certificate, keys }: Issued): Promise<CertifiedKey> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { certificatePem: certificate.toString('pem'), privateKeyPem: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
}
