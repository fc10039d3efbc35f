import { z } from 'zod';
import { id, instant, name } from './identifiers.js';

/** Imports a key pair: exactly one of `pem` and `pkcs12`. */
export const keyPairImport = z
  .strictObject({
    alias: name,
    pem: z
      .strictObject({
        certificate: z.string().max(262_144).meta({ description: 'PEM: the certificate, then its chain.' }),
        privateKey: z.string().max(65_536).meta({ description: 'PEM; may be encrypted.' }),
      })
      .optional(),
    pkcs12: z.base64().max(524_288).optional().meta({ description: 'A PKCS#12 file, base64.' }),
    password: z.string().max(1024).optional(),
  })
  .refine((body) => (body.pem === undefined) !== (body.pkcs12 === undefined), {
    message: 'Give exactly one of pem and pkcs12.',
    path: ['pem'],
  })
  .meta({ id: 'KeyPairImport' });
export type KeyPairImport = z.infer<typeof keyPairImport>;

/** Renames a key pair. */
export const keyPairPatch = z.strictObject({ alias: name }).meta({ id: 'KeyPairPatch' });
export type KeyPairPatch = z.infer<typeof keyPairPatch>;

/** A key pair; the private key never leaves. */
export const keyPair = z
  .strictObject({
    id,
    alias: z.string(),
    subject: z.string(),
    issuer: z.string(),
    serialNumber: z.string(),
    notBefore: instant,
    notAfter: instant,
    status: z.enum(['valid', 'expiring', 'expired', 'not-yet-valid']),
    keyAlgorithm: z.string().meta({ description: 'For example `RSA 2048` or `EC P-256`.' }),
    sha256Fingerprint: z.string(),
    subjectAlternativeNames: z.array(z.string()),
    certificateChain: z.array(z.string()).meta({ description: 'PEM, the certificate first.' }),
    warnings: z.array(z.string()),
    version: z.int().positive(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'KeyPair' });
export type KeyPair = z.infer<typeof keyPair>;
