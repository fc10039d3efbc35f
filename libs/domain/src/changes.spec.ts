import { describe, expect, it } from '@jest/globals';
import { changesBetween } from './changes.js';

describe('the changes between two values', () => {
  it.each<[string, unknown, unknown, unknown[]]>([
    ['nothing', { a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 }, []],
    ['a member', { a: 1, b: 2 }, { a: 1, b: 3 }, [['/b', 2, 3]]],
    ['a member within', { a: { b: 1, c: 1 } }, { a: { b: 2, c: 1 } }, [['/a/b', 1, 2]]],
    ['a member that came', {}, { a: 1 }, [['/a', null, 1]]],
    ['a member that went', { a: { b: 1 } }, { a: null }, [['/a/b', 1, null]]],
    ['a list, whole', { a: [1, 2] }, { a: [2] }, [['/a', [1, 2], [2]]]],
    ['another kind of value', { a: { b: 1 } }, { a: 'b' }, [['/a', { b: 1 }, 'b']]],
    [
      'something that was made',
      null,
      { b: 1, a: 2 },
      [
        ['/a', null, 2],
        ['/b', null, 1],
      ],
    ],
    ['something that was taken away', { a: 1 }, null, [['/a', 1, null]]],
    ['names that need escaping', { 'a/b~': 1 }, { 'a/b~': 2 }, [['/a~1b~0', 1, 2]]],
    ['a list of objects in another order of members', { a: [{ b: 1, c: 2 }] }, { a: [{ c: 2, b: 1 }] }, []],
  ])('tell of %s', (_what, before, after, expected) => {
    const found = changesBetween(before, after).map((change) => [change.pointer, change.before, change.after]);
    expect(found).toEqual(expected);
  });
});
