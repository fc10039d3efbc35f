import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { escapeReferences, referencesIn, resolveReferences, variableFor } from './configuration-references.js';

const resolved = (text: string) => resolveReferences(text, ({ kind, target }) => `<${kind} ${target}>`);

describe('references', () => {
  it.each([
    ['${env:SECRET}', '<env SECRET>'],
    ['https://${env:HOST}/a?${file:./b c.txt}', 'https://<env HOST>/a?<file ./b c.txt>'],
    ['${base64:client.p12}', '<base64 client.p12>'],
    ['$${env:X}', '${env:X}'],
    ['$$${env:X}', '$${env:X}'],
    ['{{amount}} for ${payee}, $5 {env:X}', '{{amount}} for ${payee}, $5 {env:X}'],
    ['${env:X', '${env:X'],
  ])('in %s give %s', (text, expected) => {
    expect(resolved(text)).toBe(expected);
  });

  it('are found where they are resolved', () => {
    expect(referencesIn('${env:A}$${env:B}${file:c}')).toEqual([
      { kind: 'env', target: 'A' },
      { kind: 'file', target: 'c' },
    ]);
  });

  it('are none in a text that was escaped, which comes back as it was', () => {
    const piece = fc.constantFrom('$', '{', '}', '${', 'env:', 'file:', 'x', '\n', '${env:X}', '$${');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        expect(referencesIn(escapeReferences(text))).toEqual([]);
        expect(resolved(escapeReferences(text))).toBe(text);
      }),
    );
  });

  it('name variables that a shell takes', () => {
    expect(variableFor('ASSENT', 'Approve a (größere) payment', 'client secret')).toBe(
      'ASSENT_APPROVE_A_GRO_SSERE_PAYMENT_CLIENT_SECRET',
    );
  });
});
