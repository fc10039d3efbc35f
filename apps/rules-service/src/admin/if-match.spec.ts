import { describe, expect, it } from '@jest/globals';
import { etagOf, expectedVersions } from './if-match.js';

describe('If-Match', () => {
  it.each([[undefined], ['*'], [' * ']])('accepts any version when it is %s', (header) => {
    expect(expectedVersions(header)).toBeNull();
  });

  it.each([
    ['"3"', [3]],
    [etagOf(12), [12]],
    ['"3", "4"', [3, 4]],
    ['W/"3"', []],
    ['W/"3","4"', [4]],
    ['"abc"', []],
    ['"03"', []],
    ['""', []],
    ['"99999999999999999999"', []],
  ])('reads %s as %j', (header, versions) => {
    expect([...expectedVersions(header)!]).toEqual(versions);
  });

  it.each(['3', '', '"3', '3"', '"3" "4"', '"3",', '"a"b"', "'3'", 'w/"3"', '*, "3"', '"\u0001"', '"é"'])(
    'refuses %j',
    (header) => {
      expect(() => expectedVersions(header)).toThrow(expect.objectContaining({ code: 'invalid_if_match' }));
    },
  );
});
