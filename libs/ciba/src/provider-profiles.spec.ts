import { describe, expect, it } from '@jest/globals';
import { providerProfiles } from './provider-profiles.js';

describe.each(Object.entries(providerProfiles))('the profile %s', (_name, { bindingMessage }) => {
  it('matches one character at a time', () => {
    expect(bindingMessage.character.flags).not.toMatch(/[gy]/);
    expect('7'.replace(bindingMessage.character, '')).toBe('');
    expect('77'.replace(bindingMessage.character, '')).toBe('7');
  });

  it('lets no control character through', () => {
    expect(['\n', '\0', '\u202e', '\u200b'].some((character) => bindingMessage.character.test(character))).toBe(false);
  });

  it('leaves room for a code', () => {
    expect(bindingMessage.maximumLength).toBeGreaterThanOrEqual(8);
  });
});
