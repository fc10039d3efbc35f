import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { maximumJsonDepth, parseJsonObject } from './strict-json.js';

const nested = (depth: number) => `{"x":${'['.repeat(depth)}${']'.repeat(depth)}}`;

describe('text that everybody reads alike', () => {
  it.each(['{}', '{"a":{"b":1},"b":2}', ' {"a" : "\\"b\\":" , "b":[{"a":1},{"a":2}]} ', '{"a\\\\":1,"a":2}'])(
    'is read: %s',
    (text) => {
      expect(Object.fromEntries(parseJsonObject(text) ?? [])).toEqual(JSON.parse(text));
    },
  );

  it('is read like JSON.parse, whatever object it is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 }), { noNullPrototype: true }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('__proto__'));
        expect(Object.fromEntries(parseJsonObject(text) ?? [])).toEqual(JSON.parse(text));
      }),
    );
  });

  it('is read up to the permitted depth', () => {
    expect(parseJsonObject(nested(maximumJsonDepth - 1))).not.toBeNull();
  });

  it('does not offer inherited members', () => {
    const members = parseJsonObject('{"constructor":1}');
    expect([members?.get('constructor'), members?.get('toString'), members?.has('valueOf')]).toEqual([
      1,
      undefined,
      false,
    ]);
  });
});

describe('text that is refused', () => {
  it.each([
    ['no JSON', '{'],
    ['not an object', '[]'],
    ['null', 'null'],
    ['text', '"a"'],
    ['a member twice', '{"a":1,"a":1}'],
    ['a member twice, escaped', '{"a":1,"\\u0061":1}'],
    ['a member twice, spaced', '{"a" : 1,"a"\n:1}'],
    ['a member twice, deep inside', '{"x":[{"a":1,"b":{},"a":2}]}'],
    ['a prototype', '{"__proto__":{}}'],
    ['a prototype deep inside', '{"a":[{"__pro\\u0074o__":1}]}'],
    ['too deep', nested(maximumJsonDepth)],
    ['far too deep', nested(200_000)],
  ])('%s', (_what, text) => {
    expect(parseJsonObject(text)).toBeNull();
  });
});
