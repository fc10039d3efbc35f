import { describe, expect, it } from '@jest/globals';
import { hashOfKey, looksLikeApiKey, newApiKey, newWebhookSecret, prefixOfKey } from './api-key.js';

describe('an API key', () => {
  it('has 256 random bits behind its prefix', () => {
    const key = newApiKey();
    expect(looksLikeApiKey(key)).toBe(true);
    expect(Buffer.from(key.slice('assent_'.length), 'base64url')).toHaveLength(32);
    expect(newApiKey()).not.toBe(key);
    expect(key.startsWith(prefixOfKey(key))).toBe(true);
    expect(prefixOfKey(key)).toHaveLength(11);
  });

  it.each([
    '',
    'assent_',
    'assent_short',
    `${newApiKey()}x`,
    ` ${newApiKey()}`,
    newApiKey().replace('assent', 'Assent'),
  ])('is not "%s"', (text) => {
    expect(looksLikeApiKey(text)).toBe(false);
  });

  it('is kept as SHA-256', () => {
    expect(hashOfKey('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

it('makes webhook secrets of 32 bytes', () => {
  const secret = newWebhookSecret();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(newWebhookSecret()).not.toBe(secret);
});
