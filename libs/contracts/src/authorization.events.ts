import { failureReasons, denialReasons, statuses } from '#lib/domain';
import { z } from 'zod';
import type { Decision } from './decision.js';
import { id } from './identifiers.js';

/** What the services tell each other about a request: ids and statuses only. */
export const authorizationFact = z
  .strictObject({
    authorizationRequestId: id,
    status: z.enum(statuses),
    reason: z.enum([...failureReasons, ...denialReasons]).nullable(),
    stateVersion: z.int().positive().meta({ description: 'Grows with every change of the request.' }),
  })
  .meta({ id: 'AuthorizationFact' });
export type AuthorizationFact = z.infer<typeof authorizationFact>;

/**
 * What a consumer reads of an authorization fact. What a later version adds, members or statuses, is passed over: the
 * row says how the request stands.
 */
export const heardAuthorizationFact = z.object({
  authorizationRequestId: id,
  stateVersion: z.int().positive().nullable().catch(null),
});

export const exchanges = { authorizations: 'assent.authorizations', decisions: 'assent.decisions' } as const;

/** Routing keys on `assent.authorizations`. */
export const authorizationEvents = {
  requested: 'authorization.requested',
  initiated: 'authorization.initiated',
  /** The provider told that an answer is there. */
  pinged: 'authorization.pinged',
  approved: 'authorization.approved',
  denied: 'authorization.denied',
  expired: 'authorization.expired',
  cancelled: 'authorization.cancelled',
  failed: 'authorization.failed',
} as const;
export type AuthorizationEventKey = (typeof authorizationEvents)[keyof typeof authorizationEvents];

/** Events that only hasten what a sweep of the database finds as well: they may come to nobody. */
export const hintEvents: ReadonlySet<string> = new Set([authorizationEvents.initiated, authorizationEvents.pinged]);

/** The event that entering a status causes. */
export const eventOfStatus = {
  requested: authorizationEvents.requested,
  pending: authorizationEvents.initiated,
  approved: authorizationEvents.approved,
  denied: authorizationEvents.denied,
  expired: authorizationEvents.expired,
  cancelled: authorizationEvents.cancelled,
  failed: authorizationEvents.failed,
} as const satisfies Record<(typeof statuses)[number], AuthorizationEventKey>;

/** Routing keys on `assent.decisions`; subscribers bind `decision.#` or single ones. */
export const decisionEventKey = (outcome: Decision['outcome']) => `decision.${outcome}` as const;

/** The CloudEvents type of a routing key. */
export const eventType = (routingKey: string): string => `assent.${routingKey}.v1`;
