import { describe, expect, it } from '@jest/globals';
import { hasInvisible, personName } from './person.js';

describe('the name of a person', () => {
  it.each([
    ['alice@example.com', 'Alice@EXAMPLE.com'],
    ['alice@example.com', '  alice@example.com\t'],
    ['alice@example.com', 'ali\u200Bce@example.com'],
    ['alice@example.com', 'ａｌｉｃｅ＠example.com'],
    ['alice smith', 'Alice \u00A0 Smith'],
    ['josé', 'JOSE\u0301'],
    ['+4915112345678', '+49 (151) 1234-5678'],
    ['+4915112345678', 'tel:+49-151-12345678'],
    ['+4915112345678', '0049 151 12345678'],
    ['4915112345678', '49 151 12345678'],
    ['ςίσυφος', 'ΣΊΣΥΦΟΣ'.toLowerCase().replace(/^σ/, 'ς')],
  ])('is "%s" for "%s" (R108)', (name, written) => {
    expect(personName(written)).toBe(name);
  });

  it.each([
    ['alice@example.com', 'alice@example.org'],
    ['alice', 'alice2'],
    ['+4915112345678', '+4915112345679'],
    ['12345', '1234 5'],
  ])('tells %s from %s', (one, other) => {
    expect(personName(one)).not.toBe(personName(other));
  });

  it('does not change when it is taken again', () => {
    for (const text of ['+ 00 49 151 1234', 'ǅ x', 'İstanbul', '\u200B00\u200B49 151 123456', 'ﬀ\u0301 Ａ']) {
      expect(personName(personName(text))).toBe(personName(text));
    }
  });

  it('shows what is invisible', () => {
    expect(hasInvisible('ali\u200Bce')).toBe(true);
    expect(hasInvisible('a\u0000')).toBe(true);
    expect(hasInvisible('alice@example.com')).toBe(false);
  });
});
