import { expect, it } from '@jest/globals';
import { passwordVerifier } from './password-verifier.js';

it('is what RFC 7677 says of its example', () => {
  // The stored and the server key follow from the exchange in section 3: password "pencil", this salt, 4096 rounds.
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  expect(passwordVerifier('pencil', salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});

it.each(['', 'a b', 'ä', 'x'.repeat(257)])('takes no password like "%s"', (password) => {
  expect(() => passwordVerifier(password)).toThrow('printable');
});
