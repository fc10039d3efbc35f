import { bindingMessageLimits } from '#lib/ciba';
import { describe, expect, it } from '@jest/globals';
import { bindingMessage } from './binding-message.js';

const rule = { bindingMessage: 'Pay {{amount}} to {{payee}}' };
const attributes = { amount: '25 EUR', payee: 'ACME' };
const generic = bindingMessageLimits('generic');

describe('the binding message of a request', () => {
  it("is the rule's template with the attributes", () => {
    expect(bindingMessage(undefined, rule, attributes, generic)).toBe('Pay 25 EUR to ACME');
  });

  it("is the request's own text, which is no template", () => {
    expect(bindingMessage('Hello {{amount}}', rule, attributes, generic)).toBe('Hello {{amount}}');
  });

  it("is made fit for the provider's alphabet and length", () => {
    const limits = bindingMessageLimits('oidc-provider');
    expect(bindingMessage(undefined, rule, attributes, limits)).toBe('Pay-25-EUR-to-ACME');
    expect([...bindingMessage('x'.repeat(500), rule, {}, limits)!]).toHaveLength(limits.maxLength);
  });

  it('is null when there is nothing to say', () => {
    expect(bindingMessage(undefined, { bindingMessage: null }, attributes, generic)).toBeNull();
    expect(bindingMessage(undefined, { bindingMessage: '{{missing}}' }, attributes, generic)).toBeNull();
    expect(bindingMessage('\u200b\u0007', rule, attributes, generic)).toBeNull();
  });

  it('is a code without look-alikes where the provider demands a text (R19)', () => {
    const limits = bindingMessageLimits('auth0');
    const codes = Array.from({ length: 200 }, () => bindingMessage(undefined, { bindingMessage: null }, {}, limits));
    for (const code of codes) expect(code).toMatch(/^[ABCDEFGHJKMNPQRSTVWXYZ23456789]{6}$/);
    expect(new Set(codes).size).toBeGreaterThan(190);
  });
});
