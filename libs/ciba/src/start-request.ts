import { extraParameters, requestedDetails, requestedScope, type Attributes, type RuleDefinition } from '#lib/domain';
import type { StartRequest } from './outcomes.js';

/** What one person is to be asked, under which rule. */
export interface Question {
  readonly definition: RuleDefinition;
  readonly attributes: Attributes;
  readonly loginHint: string;
  readonly bindingMessage: string | null;
  readonly userCode: string | null;
}

/** What the provider is asked for one request (CIBA Core 1.0 §7.1); the token only for a rule that is not polled. */
export const startRequestOf = (
  { definition, attributes, loginHint, bindingMessage, userCode }: Question,
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
