import { expect, it } from '@jest/globals';
import { waitPreference } from './wait-preference.js';

it.each([
  ['wait=10', 10],
  ['WAIT = 10', 10],
  ['wait="10"', 10],
  ['respond-async, wait=10', 10],
  ['wait=10, respond-async', 10],
  ['wait=10; foo="bar"', 10],
  ['wait=10, wait=20', 10],
  ['return=minimal,wait=0', 0],
  ['wait=61', 60],
  ['wait=999999999', 60],
])('reads %s as %d seconds', (header, seconds) => {
  expect(waitPreference(header)).toEqual({ seconds, applied: `wait=${seconds}` });
});

it.each([
  [undefined],
  [''],
  ['respond-async'],
  ['wait'],
  ['wait='],
  ['wait=-1'],
  ['wait=1.5'],
  ['wait=ten'],
  ['wait="10'],
  ['await=10'],
  ['wait=9999999999'],
])('ignores %s', (header) => {
  expect(waitPreference(header)).toEqual({ seconds: 0, applied: null });
});

it('takes the query when no header says otherwise', () => {
  expect(waitPreference(undefined, 7)).toEqual({ seconds: 7, applied: null });
  expect(waitPreference(undefined, 700)).toEqual({ seconds: 60, applied: null });
  expect(waitPreference('wait=3', 7)).toEqual({ seconds: 3, applied: 'wait=3' });
});
