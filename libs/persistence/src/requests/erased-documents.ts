import type { Decision } from '#lib/contracts';
import type { Evidence, ProviderError } from '#lib/domain';

/** The evidence without its subject; that there was one, and of which ID token, stays. */
export const erasedEvidence = <Kept extends Pick<Evidence, 'subject'>>(evidence: Kept): Kept => ({
  ...evidence,
  subject: '',
});

/** The error without what the provider wrote about it. */
export const erasedProviderError = (error: ProviderError): ProviderError => ({ code: error.code, description: null });

/** The decision without anything that names the person: outcome, rule, times and request hash stay. */
export function erasedDecision(decision: Decision): Decision {
  const { rejection, evidence, providerError } = decision;
  return {
    ...decision,
    providerError: providerError && { ...erasedProviderError(providerError) },
    // The handler's template may have shown the binding message.
    rejection: rejection && { ...rejection, response: { status: rejection.response.status, headers: {}, body: '' } },
    evidence: evidence && erasedEvidence(evidence),
    receipt: null,
    metadata: {},
  };
}
