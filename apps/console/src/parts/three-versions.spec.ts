import { expect, it } from '@jest/globals';
import { differencesOf } from './three-versions.js';

const base = { name: 'A', scopes: ['a'], expiry: 60, enabled: true };

it('keeps what only one side has changed, and calls the rest a conflict', () => {
  const mine = { ...base, name: 'Mine', scopes: ['a', 'b'] };
  const theirs = { ...base, name: 'Theirs', expiry: 90 };
  expect(differencesOf(base, mine, theirs)).toEqual([
    { member: 'name', mine: 'Mine', theirs: 'Theirs', conflict: true, kept: 'mine' },
    { member: 'scopes', mine: ['a', 'b'], theirs: ['a'], conflict: false, kept: 'mine' },
    { member: 'expiry', mine: 60, theirs: 90, conflict: false, kept: 'theirs' },
  ]);
});

it('has nothing to say where both have made the same of it', () => {
  const same = { ...base, name: 'Same', credentials: { type: 'secret' } };
  expect(differencesOf(base, same, { ...same, credentials: { type: 'secret' } })).toEqual([]);
});

it('sees members that came or went', () => {
  expect(differencesOf({ gone: 1 }, { gone: 1 }, {})).toEqual([
    { member: 'gone', mine: 1, theirs: undefined, conflict: false, kept: 'theirs' },
  ]);
});
