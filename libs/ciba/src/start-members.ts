import type { FormMembers } from './form.js';
import type { StartRequest } from './outcomes.js';
import type { ProviderProfile } from './provider-profiles.js';

/**
 * The parameters of a start call with their JSON types, for a signed request takes them as they are; those that are
 * null are left out (CIBA Core 1.0 §7.1).
 */
export type StartMembers = Readonly<Record<string, string | number | boolean | object | null>>;

/** What a start call asks, under the names by which the provider knows it. */
export function startMembers(
  request: StartRequest,
  { expiryParameter }: Pick<ProviderProfile, 'expiryParameter'>,
): StartMembers {
  return {
    // First: a parameter of the protocol replaces what has its name.
    ...request.extraParameters,
    scope: request.scope,
    // Exactly one of them.
    login_hint: null,
    id_token_hint: null,
    login_hint_token: null,
    [request.hintKind ?? 'login_hint']: request.loginHint,
    binding_message: request.bindingMessage,
    [expiryParameter]: request.requestedExpirySeconds,
    acr_values: request.acrValues.length === 0 ? null : request.acrValues.join(' '),
    authorization_details: request.authorizationDetails,
    user_code: request.userCode,
    client_notification_token: request.clientNotificationToken,
  };
}

/** The same parameters as members of a form: what is not text becomes JSON (RFC 9396 §2). */
export function startForm(members: StartMembers): FormMembers {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      name,
      typeof value === 'string' || value === null ? value : JSON.stringify(value),
    ]),
  );
}
