import { certificateStatuses } from '#lib/domain';
import { z } from 'zod';
import { id, instant, name } from './identifiers.js';

/** What is generated. */
export const keyPairGeneration = z.strictObject({
  subject: z
    .string()
    .min(1)
    .max(512)
    .meta({ description: 'A distinguished name, for example `CN=client.example, O=Example`.' }),
  keyAlgorithm: z.enum(['RSA 2048', 'RSA 3072', 'RSA 4096', 'EC P-256', 'EC P-384']).default('EC P-256'),
  validDays: z
    .int()
    .min(1)
    .max(825)
    .default(365)
    .meta({ description: 'How long the certificate that it signs itself lasts.' }),
  subjectAlternativeNames: z
    .array(
      z
        .string()
        .max(512)
        .regex(/^(DNS|URI|IP|email):[\x21-\x7E]+$/, 'Write DNS:, URI:, IP: or email: and a value.'),
    )
    .max(20)
    .default([]),
});
export type KeyPairGeneration = z.infer<typeof keyPairGeneration>;

/** Imports or generates a key pair: exactly one of `pem`, `pkcs12` and `generate`. */
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
    generate: keyPairGeneration.optional().meta({
      description: 'Makes a new private key, and a certificate that it signs itself until another one takes its place.',
    }),
  })
  .refine((body) => [body.pem, body.pkcs12, body.generate].filter((one) => one !== undefined).length === 1, {
    message: 'Give exactly one of pem, pkcs12 and generate.',
    path: ['pem'],
  })
  .meta({ id: 'KeyPairImport' });
export type KeyPairImport = z.infer<typeof keyPairImport>;

/** Renames a key pair. */
export const keyPairPatch = z.strictObject({ alias: name }).meta({ id: 'KeyPairPatch' });
export type KeyPairPatch = z.infer<typeof keyPairPatch>;

/** A certificate for the key that is there. */
export const certificateReplacement = z
  .strictObject({
    certificate: z
      .string()
      .max(262_144)
      .meta({ description: 'PEM: the certificate that an authority has issued for this key, then its chain.' }),
  })
  .meta({ id: 'CertificateReplacement' });
export type CertificateReplacement = z.infer<typeof certificateReplacement>;

/** What an authority is asked with. */
export const certificateRequest = z
  .strictObject({
    csr: z.string().meta({ description: 'PKCS#10 (RFC 2986) in PEM, with the names of the certificate.' }),
  })
  .meta({ id: 'CertificateRequest' });
export type CertificateRequest = z.infer<typeof certificateRequest>;

const user = z.strictObject({ id, name: z.string() });

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
    status: z
      .enum(certificateStatuses)
      .meta({ description: '`expiring`: it ends within 30 days; webhooks of `key_pair.expiring` tell of it.' }),
    daysLeft: z.int().meta({
      description: 'Days until the certificate ends, a day that has begun as a whole one; 0 or less: it has.',
    }),
    keyAlgorithm: z.string().meta({ description: 'For example `RSA 2048` or `EC P-256`.' }),
    sha256Fingerprint: z.string(),
    subjectAlternativeNames: z.array(z.string()),
    certificateChain: z.array(z.string()).meta({ description: 'PEM, the certificate first.' }),
    warnings: z.array(z.string()),
    usedBy: z
      .strictObject({ rules: z.array(user), tokenProviders: z.array(user) })
      .meta({ description: 'The rules that come with it, and the token providers that they ask.' }),
    version: z.int().positive(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'KeyPair' });
export type KeyPair = z.infer<typeof keyPair>;
