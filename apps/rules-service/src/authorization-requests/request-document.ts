import type { AuthorizationRequestDocument } from '#lib/contracts';
import type { RequestView } from '#lib/persistence';
import { etagOf } from '../admin/if-match.js';

const collection = '/v1/authorization-requests';

/** Where a request is found; an absolute path. */
export const pathOf = (id: string): string => `${collection}/${id}`;

/** A request as the API shows it, in every answer and in every event of a stream. */
export function requestDocument(view: RequestView): AuthorizationRequestDocument {
  const self = pathOf(view.id);
  return {
    id: view.id,
    status: view.status,
    reason: view.reason,
    providerError: view.providerError,
    rule: view.rule,
    bindingMessage: view.bindingMessage,
    requestHash: view.requestHash,
    createdAt: view.createdAt.toISOString(),
    expiresAt: view.expiresAt?.toISOString() ?? null,
    decision: view.decision,
    consumedAt: view.consumedAt?.toISOString() ?? null,
    metadata: view.metadata,
    links: { self, events: `${self}/events`, cancel: `${self}/cancel`, consume: `${self}/consume` },
  };
}

/** How soon it is worth asking again about a request that has no decision, in seconds. */
const retryAfterSeconds = 2;

/** The headers that go with a request's document. */
export const requestHeaders = (view: RequestView): Record<string, string> => ({
  etag: etagOf(view.stateVersion),
  ...(view.decision === null && { 'retry-after': String(retryAfterSeconds) }),
});
