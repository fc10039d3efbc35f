import type { StartRequest } from '#lib/ciba';
import { extraParameters, requestedDetails, requestedScope } from '#lib/domain';
import type { StartWork } from '#lib/persistence';

/** What the provider is asked for one request (CIBA Core 1.0 §7.1); the token only for a rule that is not polled. */
export const startRequestOf = (
  { definition, attributes, loginHint, bindingMessage, userCode }: StartWork,
  clientNotificationToken: string | null,
  interactionId: string | null,
): StartRequest => ({
  scope: requestedScope(definition.scopes),
  loginHint,
  hintKind: definition.hintKind,
  extraParameters: extraParameters(definition, attributes),
  bindingMessage,
  requestedExpirySeconds: definition.requestedExpirySeconds,
  acrValues: definition.acrValues,
  authorizationDetails: requestedDetails(definition, attributes),
  userCode,
  clientNotificationToken,
  deliveryMode: definition.deliveryMode,
  interactionId,
});
