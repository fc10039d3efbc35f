import { describe, expect, it } from '@jest/globals';
import { providerProfiles } from './provider-profiles.js';

describe.each(Object.entries(providerProfiles))(
  'the profile %s',
  (_name, { bindingMessage, hint, extraParameters }) => {
    it('matches one character at a time', () => {
      expect(bindingMessage.character.flags).not.toMatch(/[gy]/);
      expect('7'.replace(bindingMessage.character, '')).toBe('');
      expect('77'.replace(bindingMessage.character, '')).toBe('7');
    });

    it('lets no control character through', () => {
      expect(['\n', '\0', '\u202e', '\u200b'].some((character) => bindingMessage.character.test(character))).toBe(
        false,
      );
    });

    it('lists no parameter of the protocol as a further one (R24, R25)', () => {
      const protocol = [
        ...['scope', 'login_hint', 'id_token_hint', 'login_hint_token', 'binding_message', 'acr_values', 'user_code'],
        ...['requested_expiry', 'request_expiry', 'client_notification_token', 'authorization_details', 'request'],
        ...['request_uri', 'client_id', 'client_secret', 'client_assertion', 'client_assertion_type', 'grant_type'],
        ...['auth_req_id', 'iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti'],
      ];
      expect(extraParameters.filter((name) => protocol.includes(name))).toEqual([]);
    });

    it('takes a hint of at least one kind, the login hint first (R15)', () => {
      expect(hint.kinds[0]).toBe('login_hint');
    });

    it('leaves room for a code', () => {
      expect(bindingMessage.maximumLength).toBeGreaterThanOrEqual(8);
    });
  },
);
