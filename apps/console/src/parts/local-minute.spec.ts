import { expect, it } from '@jest/globals';
import { endOfMinute, instantOf, localMinute } from './local-minute.js';

it('comes back to the same minute, in whichever time zone', () => {
  const instant = instantOf('2026-03-01T09:30');
  expect(localMinute(instant)).toBe('2026-03-01T09:30');
  expect(localMinute(endOfMinute('2026-03-01T09:30'))).toBe('2026-03-01T09:30');
  expect(Date.parse(endOfMinute('2026-03-01T09:30')) - Date.parse(instant)).toBe(59_999);
});

it('comes back to the same minute of a year of which one digit is typed so far', () => {
  expect(localMinute(instantOf('0002-03-01T09:30'))).toBe('0002-03-01T09:30');
});

it('makes nothing of what is no time', () => {
  for (const text of ['', 'yesterday'])
    expect([localMinute(text), instantOf(text), endOfMinute(text)]).toEqual(['', '', '']);
});
