import { describe, expect, it } from '@jest/globals';
import { fillJson, fillTemplate, namedAttributes } from './template.js';

describe('a template', () => {
  it.each([
    ['{{a}}-{{ b }}', { a: 1, b: true }, '1-true'],
    ['{{a}}', { a: '{{b}}', b: 'no' }, '{{b}}'],
    ['{{missing}}|{{constructor}}', {}, '|'],
    ['{a} {{}} {{a b}}', { a: 'x' }, '{a} {{}} {{a b}}'],
    ['{{a}}', { a: '$&$1' }, '$&$1'],
  ])('%s with %j is %s', (template, attributes, expected) => {
    expect(fillTemplate(template, attributes)).toBe(expected);
  });
});

describe('a JSON template', () => {
  const template = [
    { type: 'payment', amount: { value: '{{amount}}', of: ['{{iban}}', 7, null, false] }, '{{key}}': 1 },
  ];

  it('is filled in its strings, whatever they are in', () => {
    expect(fillJson(template, { amount: '1.00", "x": "', iban: 'DE1', key: 'k' })).toEqual([
      { type: 'payment', amount: { value: '1.00", "x": "', of: ['DE1', 7, null, false] }, '{{key}}': 1 },
    ]);
  });

  it('names its attributes, and none for its members’ names', () => {
    expect(namedAttributes([template, '{{amount}}'])).toEqual(['amount', 'iban']);
  });
});
