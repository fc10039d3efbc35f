import { outcomes } from '#lib/domain';
import { z } from 'zod';
import { id, instant } from './identifiers.js';
import { disabledReasons } from './webhook-endpoints.http.js';

/** How far back an overview looks, and into how many parts it divides that time; the parts in seconds. */
export const overviewWindows = {
  '1h': { buckets: 30, bucketSeconds: 120 },
  '24h': { buckets: 48, bucketSeconds: 1_800 },
  '7d': { buckets: 42, bucketSeconds: 14_400 },
} as const;
export type OverviewWindow = keyof typeof overviewWindows;

export const overviewQuery = z.strictObject({
  window: z.enum(Object.keys(overviewWindows) as [OverviewWindow, ...OverviewWindow[]]).default('24h'),
});
export type OverviewQuery = z.infer<typeof overviewQuery>;

const counts = z.strictObject(
  Object.fromEntries(outcomes.map((outcome) => [outcome, z.int()])) as Record<(typeof outcomes)[number], z.ZodInt>,
);

/** How long approvals took, from the request to the answer, in ms; null when there were none. */
const approvalTime = z.strictObject({ p50Ms: z.number().nullable(), p95Ms: z.number().nullable() });

/** How Assent is doing, at a glance. */
export const overview = z.strictObject({
  window: z.enum(Object.keys(overviewWindows) as [OverviewWindow, ...OverviewWindow[]]),
  since: instant,
  at: instant,
  accepted: z.int(),
  outcomes: counts,
  /** Open requests, whatever the window. */
  pendingNow: z.int(),
  approvalTime,
  /** Oldest first, without a gap. */
  buckets: z.array(z.strictObject({ from: instant, outcomes: counts, approvalTime })),
  providers: z.array(
    z.strictObject({
      id,
      name: z.string(),
      asked: z.int(),
      /** Requests that failed through the provider, or through how it was set up. */
      failed: z.int(),
      lastAskedAt: instant.nullable(),
      /** Rules whose client the provider refuses. */
      refusedRules: z.array(z.strictObject({ id, name: z.string(), error: z.string() })),
      health: z.enum(['good', 'failing', 'refused', 'unused']),
    }),
  ),
  expiringKeyPairs: z.array(z.strictObject({ id, alias: z.string(), notAfter: instant })),
  failingEndpoints: z.array(
    z.strictObject({
      id,
      url: z.string(),
      enabled: z.boolean(),
      disabledReason: z.enum(disabledReasons).nullable(),
      failingSince: instant.nullable(),
    }),
  ),
  firstSteps: z.strictObject({
    tokenProvider: z.boolean(),
    rule: z.boolean(),
    request: z.boolean(),
    approval: z.boolean(),
    webhookEndpoint: z.boolean(),
    apiClient: z.boolean(),
  }),
});
export type Overview = z.infer<typeof overview>;
