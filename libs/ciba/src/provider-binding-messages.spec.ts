import { expect, it } from '@jest/globals';
import { bindingMessageLimits } from './provider-binding-messages.js';
import { providerProfiles } from './provider-profiles.js';
import type { ProviderProfileName } from './registration.js';

it.each(Object.keys(providerProfiles) as ProviderProfileName[])('replaces by what %s takes', (profile) => {
  const { alphabet, replacement, maxLength } = bindingMessageLimits(profile);
  expect(alphabet!.test(replacement)).toBe(true);
  expect(alphabet!.global).toBe(false);
  expect(maxLength).toBeGreaterThanOrEqual(20);
});
