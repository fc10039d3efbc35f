import { ProblemError } from '#lib/runtime';

export const noSuchEndpoint = (): ProblemError => new ProblemError('not_found', 'There is no such webhook endpoint.');

export const noSuchDelivery = (): ProblemError =>
  new ProblemError('not_found', 'This webhook endpoint has no such delivery. Deliveries are kept for a time.');

export const endpointDisabled = (): ProblemError =>
  new ProblemError(
    'webhook_endpoint_disabled',
    'This webhook endpoint is disabled, so nothing is delivered. Enable it.',
  );

/** Where the deliveries of an endpoint are. */
export const deliveriesPath = (endpointId: string): string => `/v1/webhook-endpoints/${endpointId}/deliveries`;
