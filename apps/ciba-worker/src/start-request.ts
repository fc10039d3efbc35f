import type { StartRequest } from '#lib/ciba';
import { requestedScope } from '#lib/domain';
import type { StartWork } from '#lib/persistence';

/** What the provider is asked for one request (CIBA Core 1.0 §7.1); the token only for a rule that is not polled. */
export const startRequestOf = (
  { definition, loginHint, bindingMessage, userCode }: StartWork,
  clientNotificationToken: string | null,
): StartRequest => ({
  scope: requestedScope(definition.scopes),
  loginHint,
  bindingMessage,
  requestedExpirySeconds: definition.requestedExpirySeconds,
  acrValues: definition.acrValues,
  authorizationDetails: null,
  userCode,
  clientNotificationToken,
});
