import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { createPki, pkiFits, type SandboxPki } from './pki.js';
import { writeFileAtomically } from './row.store.js';

/** What makes a sandbox the same one after a restart: its signing keys, its certificates, its mTLS port. */
export interface SandboxIdentity {
  readonly signingKeys: readonly JWK[];
  readonly cookieKey: string;
  readonly pki: SandboxPki;
  /** The port of the https listener; null until it has listened once. */
  readonly mtlsPort: number | null;
}

/** Reads the identity from the file, or makes one and keeps it there; without a path it lasts as long as the process. */
export async function openIdentity(path: string | null, hostname: string): Promise<SandboxIdentity> {
  const stored = path === null ? null : await readIdentity(path);
  if (stored && pkiFits(stored.pki, hostname)) return stored;
  const identity: SandboxIdentity = {
    signingKeys: stored?.signingKeys ?? [await createSigningKey('ES256'), await createSigningKey('EdDSA')],
    cookieKey: stored?.cookieKey ?? randomBytes(32).toString('base64url'),
    pki: await createPki(hostname),
    mtlsPort: stored?.mtlsPort ?? null,
  };
  await keepIdentity(path, identity);
  return identity;
}

/** Writes the identity; without a path it does nothing. */
export async function keepIdentity(path: string | null, identity: SandboxIdentity): Promise<void> {
  if (path === null) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomically(path, `${JSON.stringify(identity, null, 2)}\n`);
}

/** The public key of a certificate, with the certificate, as client registrations want it (RFC 8705 §2.2.2). */
export function certificateJwk(certificatePem: string): JWK {
  const certificate = new X509Certificate(certificatePem);
  return {
    ...(certificate.publicKey.export({ format: 'jwk' }) as JWK),
    use: 'sig',
    kid: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    x5c: [certificate.raw.toString('base64')],
  };
}

async function readIdentity(path: string): Promise<SandboxIdentity | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as SandboxIdentity;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Error(`The sandbox cannot read its keys in ${path}`, { cause: error });
  }
}

async function createSigningKey(alg: 'ES256' | 'EdDSA'): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    ...(await exportJWK(privateKey)),
    alg,
    use: 'sig',
    kid: `sandbox-${alg.toLowerCase()}-${randomBytes(6).toString('hex')}`,
  };
}
