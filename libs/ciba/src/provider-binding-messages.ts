import type { BindingMessageLimits } from '#lib/domain';
import { providerProfiles } from './provider-profiles.js';
import type { ProviderProfileName } from './registration.js';

/** What a provider of this profile takes as binding message, in the domain's terms. */
export function bindingMessageLimits(profile: ProviderProfileName): BindingMessageLimits {
  const { character, maximumLength, required } = providerProfiles[profile].bindingMessage;
  // Every profile's alphabet has the hyphen.
  return { alphabet: character, maxLength: maximumLength, replacement: '-', required };
}
