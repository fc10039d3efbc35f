import type { StartRequest } from '#lib/ciba';
import { requestedScope } from '#lib/domain';
import type { StartWork } from '#lib/persistence';

/** What the provider is asked for one request (CIBA Core 1.0 §7.1). */
export const startRequestOf = ({ definition, loginHint, bindingMessage, userCode }: StartWork): StartRequest => ({
  scope: requestedScope(definition.scopes),
  loginHint,
  bindingMessage,
  requestedExpirySeconds: definition.requestedExpirySeconds,
  acrValues: definition.acrValues,
  authorizationDetails: null,
  userCode,
  clientNotificationToken: null,
});
