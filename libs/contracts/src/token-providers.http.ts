import { z } from 'zod';
import { httpUrl, id, instant, name } from './identifiers.js';
import { findingCodes, findingSeverities, findingSubjects } from './provider-findings.js';

export const providerProfiles = [
  'generic',
  'pingfederate',
  'pingone',
  'keycloak',
  'auth0',
  'okta',
  'duende',
  'wso2',
  'curity',
  'camara',
  'oidc-provider',
] as const;

const pemCertificates = z
  .array(
    z
      .string()
      .max(65_536)
      .regex(/-----BEGIN CERTIFICATE-----/, 'Give a PEM certificate.'),
  )
  .max(50);

/** A token provider as an administrator writes it. */
export const tokenProviderBody = z
  .strictObject({
    name,
    issuer: httpUrl.meta({ description: 'Exactly as the provider writes it; a trailing slash counts.' }),
    profile: z.enum(providerProfiles).default('generic'),
    metadata: z
      .record(z.string(), z.unknown())
      .nullable()
      .default(null)
      .meta({ description: 'Explicit provider metadata (standard names) instead of discovery.' }),
    trustedCertificates: pemCertificates.default([]),
  })
  .meta({ id: 'TokenProviderBody' });
export type TokenProviderBody = z.infer<typeof tokenProviderBody>;

/** A merge patch: members that are absent stay. */
export const tokenProviderPatch = z
  .strictObject({
    name: name.optional(),
    issuer: httpUrl.optional(),
    profile: z.enum(providerProfiles).optional(),
    metadata: z.record(z.string(), z.unknown()).nullable().optional(),
    trustedCertificates: pemCertificates.optional(),
  })
  .meta({ id: 'TokenProviderPatch' });
export type TokenProviderPatch = z.infer<typeof tokenProviderPatch>;

/** A client that the provider refuses, so that its calls are paused. */
export const providerAlert = z
  .strictObject({
    code: z.literal('client_refused'),
    rule: z.strictObject({ id, name }),
    call: z
      .enum(['start', 'poll'])
      .meta({ description: '`start`: the backchannel endpoint. `poll`: the token endpoint.' }),
    error: z.string().meta({ description: 'What the provider says: `invalid_client` or `unauthorized_client`.' }),
    since: instant,
    lastAt: instant,
    pausedUntil: instant.meta({ description: 'One call goes out then; until then requests wait.' }),
  })
  .meta({ id: 'ProviderAlert' });
export type ProviderAlert = z.infer<typeof providerAlert>;

export const tokenProvider = z
  .strictObject({
    id,
    ...tokenProviderBody.shape,
    discovery: z
      .strictObject({
        state: z.enum(['not-tried', 'ok', 'failed', 'explicit']),
        checkedAt: instant.nullable(),
        problem: z.string().nullable(),
      })
      .meta({ description: 'What the last look at the provider found.' }),
    alerts: z
      .array(providerAlert)
      .meta({ description: 'What needs somebody’s attention: clients that the provider refuses at present.' }),
    version: z.int().positive(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'TokenProvider' });
export type TokenProvider = z.infer<typeof tokenProvider>;

/** One thing that the check found. */
export const providerFinding = z
  .strictObject({
    code: z.enum(findingCodes),
    severity: z.enum(findingSeverities).meta({
      description: '`error`: requests fail, or will within a week. `warning`: they may. `note`: good to know.',
    }),
    about: z.enum(findingSubjects),
    rule: z.strictObject({ id, name }).optional().meta({ description: 'Present when it concerns one rule.' }),
    title: z.string().meta({ description: 'The same for each finding with this code.' }),
    detail: z.string().meta({ description: 'What was seen this time.' }),
    remedy: z.string().meta({ description: 'What to do.' }),
  })
  .meta({ id: 'ProviderFinding' });
export type ProviderFinding = z.infer<typeof providerFinding>;

/** What the doctor says about a token provider and its rules. */
export const providerCheck = z
  .strictObject({
    checkedAt: instant,
    ok: z.boolean().meta({ description: 'Whether no finding is an error.' }),
    findings: z.array(providerFinding).meta({ description: 'Errors first, then warnings, then notes.' }),
  })
  .meta({ id: 'ProviderCheck' });
export type ProviderCheck = z.infer<typeof providerCheck>;
