import { describe, expect, it } from '@jest/globals';
import { mayAsk, mayUseRule, type SubjectEntitlement } from './entitlement.js';

describe('the people whom a client may have asked (R107)', () => {
  const example: SubjectEntitlement = { endsWith: '@example.com' };
  const alice: SubjectEntitlement = { equals: 'Alice@Example.com' };
  const acme: SubjectEntitlement = { attributes: { tenant: 'acme' } };
  it.each<[readonly SubjectEntitlement[] | null, string, object, boolean]>([
    [null, 'anybody', {}, true],
    [[], 'anybody', {}, false],
    [[{}], 'anybody', {}, false],
    [[alice], 'alice@example.com', {}, true],
    [[alice], ' ALICE@example.COM ', {}, true],
    [[alice], 'bob@example.com', {}, false],
    [[alice], 'alice@example.com.evil.example', {}, false],
    [[example], 'bob@example.com', {}, true],
    [[example], 'bob@EXAMPLE.com', {}, true],
    [[example], '@example.com', {}, false],
    [[example], 'bob@sub.example.com', {}, false],
    [[example], 'bob@notexample.com', {}, false],
    [[example], 'mallory@evil.example,bob@example.com', {}, false],
    [[example], 'mallory@evil.example@example.com', {}, false],
    [[example], 'mallory＠evil.example@example.com', {}, false],
    [[example], 'mallory@evil.example\u0000bob@example.com', {}, false],
    [[example], 'mallory bob@example.com', {}, false],
    [[alice], 'ali\u200Bce@example.com', {}, false],
    [[example, alice], 'bob@example.com', {}, true],
    [[acme], 'anybody', { tenant: 'acme' }, true],
    [[acme], 'anybody', { tenant: 'ACME' }, false],
    [[acme], 'anybody', {}, false],
    [[{ attributes: { tenant: 1 } }], 'anybody', { tenant: '1' }, false],
    [[{ ...example, ...acme }], 'bob@example.com', { tenant: 'acme' }, true],
    [[{ ...example, ...acme }], 'bob@example.com', { tenant: 'other' }, false],
    [[{ ...example, ...acme }], 'bob@example.org', { tenant: 'acme' }, false],
    [[{ attributes: { constructor: 'x' } }], 'anybody', {}, false],
    [[{ endsWith: '\u200B' }], 'anybody', {}, false],
  ])('%j and %j with %j: %s', (subjects, person, attributes, allowed) => {
    expect(mayAsk({ subjects }, person, attributes as Record<string, string>)).toBe(allowed);
  });
});

it('limits a client to its rules, or to none (R107)', () => {
  expect(mayUseRule({ rules: null }, 'a')).toBe(true);
  expect(mayUseRule({ rules: [] }, 'a')).toBe(false);
  expect(mayUseRule({ rules: ['b', 'a'] }, 'a')).toBe(true);
  expect(mayUseRule({ rules: ['b'] }, 'a')).toBe(false);
});
