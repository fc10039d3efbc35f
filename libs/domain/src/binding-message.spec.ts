import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Attributes } from './attributes.js';
import { type BindingMessageLimits, fitBindingMessage, strictBindingMessage } from './binding-message.js';
import { fillTemplate } from './template.js';

describe('a template for the phone', () => {
  it.each<[string, string, Attributes, string]>([
    ['a text', 'Pay {{amount}} to {{payee}}', { amount: '10.00 EUR', payee: 'Bob' }, 'Pay 10.00 EUR to Bob'],
    ['numbers and booleans', '{{n}} {{yes}} {{no}}', { n: 12.5, yes: true, no: false }, '12.5 true false'],
    ['blanks inside the braces', '{{  amount }}', { amount: 1 }, '1'],
    ['dots, hyphens and underscores', '{{a.b-c_d}}', { 'a.b-c_d': 'x' }, 'x'],
    ['an attribute that is missing', 'Pay {{amount}}!', {}, 'Pay !'],
    ['the same attribute twice', '{{a}}{{a}}', { a: 'x' }, 'xx'],
    ['a value that looks like a placeholder', '{{a}}', { a: '{{b}}', b: 'secret' }, '{{b}}'],
    ['a value with replacement patterns', '{{a}}', { a: "$& $1 $' $`" }, "$& $1 $' $`"],
    ['something that is no name', '{{a b}} {{}} {a}', { a: 'x' }, '{{a b}} {{}} {a}'],
    ['what every object inherits', '{{constructor}}{{__proto__}}{{toString}}', {}, ''],
  ])('with %s', (_, template, attributes, expected) => {
    expect(fillTemplate(template, attributes)).toBe(expected);
  });
});

const generous: BindingMessageLimits = { maxLength: 200, alphabet: null, replacement: '?', required: false };
const strict: BindingMessageLimits = { maxLength: 20, alphabet: /[A-Za-z0-9-]/, replacement: '-', required: true };

describe('a message fit for the provider (R19)', () => {
  it.each([
    ['as it is', 'Pay 10.00 EUR to Bob', 'Pay 10.00 EUR to Bob'],
    ['letters of all people', 'Zahle 10 € an Müller 山田', 'Zahle 10 € an Müller 山田'],
    ['composed', 'Mu\u0308ller', 'Müller'],
    ['emoji', 'Pay 👍', 'Pay 👍'],
    ['spaces around', '  Pay  ', 'Pay'],
    ['line breaks and tabs', 'Pay\r\n10\tEUR', 'Pay 10 EUR'],
    ['many spaces', 'Pay      10', 'Pay 10'],
    ['spaces of other kinds', 'Pay\u00a0\u200310', 'Pay 10'],
    ['line separators', 'Pay\u2028to\u2029Bob', 'Pay to Bob'],
    ['controls', 'Pay\u0000 10\u001b[31m', 'Pay 10[31m'],
    ['a bidirectional override', 'Pay \u202e01 RUE\u202c', 'Pay 01 RUE'],
    ['bidirectional isolates', '\u2066Pay\u2069', 'Pay'],
    ['zero-width characters', 'P\u200ba\u200cy\u200d\ufeff', 'Pay'],
    ['a soft hyphen', 'Pay\u00ad10', 'Pay10'],
    ['invisible fillers', 'Pay\u3164\u115f\uffa010', 'Pay10'],
    ['a variation selector', 'Pay\ufe0f', 'Pay'],
    ['tags', 'Pay\u{e0041}\u{e007f}', 'Pay'],
    ['private characters', 'Pay\ue000', 'Pay'],
    ['a lone surrogate', 'Pay\ud800', 'Pay'],
    ['something invisible between spaces', 'Pay \u200b 10', 'Pay 10'],
    ['nothing', '', ''],
    ['nothing visible', ' \u200b\n', ''],
  ])('%s', (_, text, expected) => {
    expect(fitBindingMessage(text, generous)).toBe(expected);
  });

  it.each([
    ['what the alphabet lacks is replaced', 'Pay 10.00', 'Pay-10-00'],
    ['letters outside it too', 'Müller', 'M-ller'],
    ['a character outside the basic plane counts as one', '👍ok', '-ok'],
    ['a long text is cut', 'x'.repeat(50), 'x'.repeat(20)],
  ])('within a narrow alphabet: %s', (_, text, expected) => {
    expect(fitBindingMessage(text, strict)).toBe(expected);
  });

  it.each<[string, BindingMessageLimits, string, string]>([
    ['between words', { ...generous, maxLength: 11 }, 'Pay Bob 250000 EUR', 'Pay Bob'],
    ['at the end of a word', { ...generous, maxLength: 14 }, 'Pay Bob 250000 EUR', 'Pay Bob 250000'],
    ['between words that no space parts any more', strict, 'Pay the corner shop 250000 EUR', 'Pay-the-corner-shop'],
    ['within a word only when there is no other', { ...generous, maxLength: 4 }, 'Donaudampfschiff', 'Dona'],
  ])('is cut %s: an amount never becomes another one', (_, limits, text, expected) => {
    expect(fitBindingMessage(text, limits)).toBe(expected);
  });

  it('is cut between characters, never within one', () => {
    expect(fitBindingMessage('👍'.repeat(5), { ...generous, maxLength: 3 })).toBe('👍👍👍');
  });

  it('has no space left at the end by the cut', () => {
    expect(fitBindingMessage('Pay Bob', { ...generous, maxLength: 4 })).toBe('Pay');
  });

  it('is within length and alphabet, and stays as it is when fitted again, whatever the text (R18)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        for (const limits of [generous, strict]) {
          const fitted = fitBindingMessage(text, limits);
          expect([...fitted].length).toBeLessThanOrEqual(limits.maxLength);
          expect(fitted).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
          expect(fitBindingMessage(fitted, limits)).toBe(fitted);
        }
        expect(fitBindingMessage(text, strict)).toMatch(/^[A-Za-z0-9-]*$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the text for a provider that refused one (R104)', () => {
  it.each<[string, string | null]>([
    ['Pay 25.00 EUR to Zoë', 'Pay-25.00-EUR-to-Zoe'],
    ['Pay 25.00 EUR to the Corner Shop', 'Pay-25.00-EUR-to-the'],
    ['🙂 ok', '--ok'],
    ['Code7', null],
    ['🙂🙂', null],
    ['支払い', null],
    ['', null],
  ])('for %s is %s', (text, expected) => {
    expect(strictBindingMessage(text)).toBe(expected);
  });

  it('is the last that is tried', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const strict = strictBindingMessage(text);
        if (strict === null) return;
        expect(strict).toMatch(/^[a-zA-Z0-9._-]{1,20}$/);
        expect(strictBindingMessage(strict)).toBeNull();
      }),
    );
  });
});
