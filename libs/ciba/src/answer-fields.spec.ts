import { describe, expect, it } from '@jest/globals';
import {
  isPrintable,
  readIntervalSeconds,
  readProviderError,
  readRetryAfterSeconds,
  readSeconds,
} from './answer-fields.js';

const now = new Date('2026-03-01T12:00:00Z');

describe('Retry-After', () => {
  it.each([
    [null, null],
    ['0', 0],
    ['7', 7],
    ['999999999', 86_400],
    ['Sun, 01 Mar 2026 12:00:30 GMT', 30],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['Fri, 01 Mar 2030 12:00:00 GMT', 86_400],
    ['', null],
    ['-1', null],
    ['1.5', null],
    ['7 s', null],
    ['9999999999', null],
    ['tomorrow', null],
    ['2026-03-01T12:00:30Z', null],
    ['Sun, 99 Mar 2026 12:00:30 GMT', null],
  ])('%p is %p', (header, seconds) => {
    expect(readRetryAfterSeconds(header, now)).toBe(seconds);
  });
});

describe('seconds', () => {
  it.each([
    [5, 5],
    ['5', 5],
    ['5.5', 5.5],
    [-1, -1],
    [Number.POSITIVE_INFINITY, null],
    [Number.NaN, null],
    ['-1', null],
    ['1e3', null],
    ['0x10', null],
    [' 5', null],
    ['', null],
    [null, null],
    [undefined, null],
    [[5], null],
    [{ seconds: 5 }, null],
  ])('%p are %p', (value, seconds) => {
    expect(readSeconds(value)).toBe(seconds);
  });

  it.each([
    [5, 5],
    [1.2, 2],
    ['3', 3],
    [0, null],
    [-5, null],
    ['often', null],
    [1e9, 86_400],
  ])('an interval of %p is %p', (value, seconds) => {
    expect(readIntervalSeconds(value)).toBe(seconds);
  });
});

describe("the provider's words", () => {
  it('are shortened without breaking a character', () => {
    const { code } = readProviderError('💸'.repeat(300), null);
    expect([...code]).toHaveLength(200);
    expect(code).toBe(`${'💸'.repeat(199)}…`);
  });

  it('keep their length when they just fit', () => {
    expect(readProviderError('x'.repeat(200), null).code).toBe('x'.repeat(200));
  });

  it('lose nothing silently', () => {
    const body = new Map([['error_description', 'a\u0000b\u200bc\u2028d\ud800']]);
    expect(readProviderError('a\tb', body)).toEqual({ code: 'a\uFFFDb', description: 'a\uFFFDb\uFFFDc\uFFFDd\uFFFD' });
  });

  it.each([undefined, null, 7, '', {}])('a description of %p is none', (description) => {
    expect(readProviderError('e', new Map([['error_description', description]])).description).toBeNull();
  });
});

it.each([
  ['abc', true],
  ['a b é 💸', true],
  ['', false],
  [' ', false],
  ['a\n', false],
  ['a\u200b', false],
  ['a\u2028', false],
  ['\ud800', false],
])('%p is printable: %p', (text, printable) => {
  expect(isPrintable(text)).toBe(printable);
});
