import { ProblemError } from '#lib/runtime';
import { describe, expect, it } from '@jest/globals';
import { parseJsonBody } from './json-body.js';

const problemOf = (text: string): ProblemError => {
  try {
    parseJsonBody(text);
  } catch (error) {
    if (error instanceof ProblemError) return error;
  }
  throw new Error('It was accepted.');
};

describe('a body', () => {
  it('is any JSON, or nothing', () => {
    expect(parseJsonBody('{"a":[1,{"b":"€😀"}]}')).toEqual({ a: [1, { b: '€😀' }] });
    expect(parseJsonBody('null')).toBeNull();
    expect(parseJsonBody('')).toBeUndefined();
  });

  it.each(['{', '{"a":1,}', "{'a':1}", '// no', '\ufeff{}', 'NaN', '01', '{"a":1}{"b":2}', '"\u0001"', 'undefined'])(
    'is not %j',
    (text) => {
      expect(problemOf(text).code).toBe('malformed_body');
    },
  );

  it('is not quoted back when it cannot be read', () => {
    const problem = problemOf('{"clientSecret":"hunter2",}');
    expect(problem.detail).toContain('character 26');
    expect(JSON.stringify(problem.toProblem())).not.toContain('hunter2');
  });

  it('is said to end too early when it is cut off', () => {
    for (const text of ['{"rule":', '[1,', '{"a":"b']) {
      expect(problemOf(text).detail).toBe('The body is not valid JSON. It ends too early.');
    }
  });

  it.each([
    ['{"__proto__":{"admin":true}}', '/__proto__'],
    ['{"a":{"constructor":1}}', '/a/constructor'],
    ['{"a":[{"prototype":1}]}', '/a/0/prototype'],
    ['{"a":"x\\u0000y"}', '/a'],
    ['{"a~b":{"c/d":"\\ud800"}}', '/a~0b/c~1d'],
    ['{"a":{"\\u0000":1}}', '/a'],
    [`${'['.repeat(21)}${']'.repeat(21)}`, '/0'.repeat(20)],
  ])('is refused for what %s holds', (text, pointer) => {
    const problem = problemOf(text);
    expect(problem.code).toBe('invalid_body');
    expect(problem.extras.errors?.[0]?.pointer).toBe(pointer);
  });

  it('may nest twenty levels deep, and no body is deep enough to break the reader', () => {
    expect(parseJsonBody(`${'['.repeat(20)}${']'.repeat(20)}`)).toBeInstanceOf(Array);
    expect(problemOf(`${'['.repeat(100_000)}${']'.repeat(100_000)}`).code).toBe('invalid_body');
  });
});
