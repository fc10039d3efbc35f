import type { TokenChange } from './misbehaviours.js';
import type { PersonaParts } from './persona-parts.js';
import type { PersonaRequest } from './persona-requests.js';
import type { TokenSubject } from './persona-tokens.js';

/** The tokens that a persona gives for a request. */
export function issueTokens(
  { persona, addresses, tokens }: Pick<PersonaParts, 'persona' | 'addresses' | 'tokens'>,
  request: PersonaRequest,
  change?: TokenChange,
): Promise<Record<string, unknown>> {
  const pushed = request.mode === 'push';
  const about: TokenSubject = {
    issuer: addresses.issuer,
    clientId: request.clientId,
    subject: persona.subjectOf(request.accountId),
    scope: request.scope,
    acr: request.acr,
    authReqId: request.authReqId,
    authorizationDetails: request.authorizationDetails,
    hashes: pushed || persona.hashClaims === true,
    refreshToken: pushed,
  };
  return tokens.issue(about, change);
}
