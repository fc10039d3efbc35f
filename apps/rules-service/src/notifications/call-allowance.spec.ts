import { describe, expect, it } from '@jest/globals';
import { CallAllowance, countedAs } from './call-allowance.js';

const clock = { ms: 0 };
const allowance = (over: object = {}) =>
  new CallAllowance({ name: 'calls', burst: 3, perSecond: 0.5, maxCallers: 100, ...over }, () => clock.ms);
const spend = (calls: CallAllowance, caller: string, times: number) =>
  Array.from({ length: times }, () => calls.spend(caller));

describe('the allowance of a caller', () => {
  it('is a burst, and then says how long to wait (R81)', () => {
    expect(spend(allowance(), 'a', 5)).toEqual([0, 0, 0, 2, 2]);
  });

  it('fills up again with time, to the burst and no further', () => {
    const calls = allowance();
    spend(calls, 'a', 3);
    clock.ms += 1_000;
    expect(spend(calls, 'a', 1)).toEqual([1]);
    clock.ms += 1_000;
    expect(spend(calls, 'a', 2)).toEqual([0, 2]);
    clock.ms += 3_600_000;
    expect(spend(calls, 'a', 4)).toEqual([0, 0, 0, 2]);
  });

  it('is not used up by refused calls', () => {
    const calls = allowance();
    spend(calls, 'a', 1_000);
    clock.ms += 2_000;
    expect(spend(calls, 'a', 1)).toEqual([0]);
  });

  it('is that of no other caller', () => {
    const calls = allowance();
    spend(calls, 'a', 100);
    expect(spend(calls, 'b', 1)).toEqual([0]);
  });

  it('is told to the caller: what is left, and while there is nothing, for how long', () => {
    const calls = allowance();
    const told = Array.from({ length: 4 }, () => {
      calls.spend('a');
      return calls.headers('a');
    });
    expect(told.map(({ ratelimit }) => ratelimit)).toEqual([
      '"calls";r=2',
      '"calls";r=1',
      '"calls";r=0;t=2',
      '"calls";r=0;t=2',
    ]);
    expect(told[0]!['ratelimit-policy']).toBe('"calls";q=3;w=6');
  });

  it('is remembered for so many callers, the noisy ones first', () => {
    const calls = allowance({ maxCallers: 10 });
    for (let other = 0; other < 1_000; other++) {
      calls.spend('noisy');
      calls.spend(`other ${other}`);
    }
    expect(calls.callers).toBe(10);
    expect(calls.spend('noisy')).toBeGreaterThan(0);
  });
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:DB8:1:2::6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  ['2001:db8:1:2:3::', '2001:db8:1:2'],
  ['rubbish', 'rubbish'],
])('%s is counted as %s', (address, counted) => {
  expect(countedAs(address)).toBe(counted);
});
