import type { Decision } from '#lib/contracts';
import {
  defaultRejectionHandlers,
  maxRejectionBodyBytes,
  rejectionHandlerFor,
  rejectionWords,
  renderRejection,
  type RejectionResponse,
  type TemplateValues,
} from '#lib/domain';
import type { EndedRequest } from '../ended-request.js';

/**
 * What the caller passes on to its user instead of the operation; null when nothing is rejected.
 *
 * A handler that is gone, or whose rendered body is longer than 64 KiB, is replaced by the Default API handler.
 *
 * @throws when that one is missing too: the database was not set up
 */
export function rejectionOf(request: EndedRequest): Decision['rejection'] {
  const handlerId = rejectionHandlerFor(request.outcome, request.definition);
  if (handlerId === null) return null;
  const values = templateValues(request);
  const chosen = rendered(request, handlerId, values);
  if (chosen !== null) return chosen;
  const fallback = rendered(request, defaultRejectionHandlers.api, values);
  if (fallback === null) throw new Error('The Default API rejection handler is missing. Run the migrations.');
  return fallback;
}

function rendered(request: EndedRequest, handlerId: string, values: TemplateValues): Decision['rejection'] {
  const handler = request.handlers.get(handlerId);
  if (!handler) return null;
  const response = renderRejection(handler.definition, values);
  if (isTooLong(response)) return null;
  return {
    handler: { id: handler.id, name: handler.name },
    response: { ...response, headers: { ...response.headers } },
  };
}

const isTooLong = ({ body }: RejectionResponse): boolean =>
  body !== undefined && Buffer.byteLength(body) > maxRejectionBodyBytes;

function templateValues(request: EndedRequest): TemplateValues {
  const { outcome } = request;
  return {
    requestId: request.requestId,
    outcome,
    reason: request.reason ?? '',
    ruleName: request.rule.name,
    bindingMessage: request.bindingMessage ?? '',
    expiresAt: request.expiresAt?.toISOString() ?? '',
    ...wordsFor(outcome),
  };
}

function wordsFor(outcome: EndedRequest['outcome']): Pick<TemplateValues, 'title' | 'header' | 'info'> {
  switch (outcome) {
    case 'denied':
    case 'expired':
    case 'failed':
      return rejectionWords(outcome);
    case 'approved':
    case 'cancelled':
      return { title: '', header: '', info: '' };
  }
}
