import { generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { SigningKey } from '#lib/persistence';
import { Webhook } from 'standardwebhooks';
import { signatureHeaders, Unsignable } from './sign.js';

const secretOf = (letter: string): string => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`;
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const key: SigningKey = {
  kid: 'callback-1',
  alg: 'EdDSA',
  privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};
// The independent verifier refuses times that are not about now.
const message = { webhookId: 'msg_1', sentAt: new Date(), body: '{"type":"decision.approved","data":"ü€"}' };

describe('v1: with a secret', () => {
  it('verifies with the standardwebhooks package', () => {
    const headers = signatureHeaders(message, [secretOf('a')], null);

    expect(new Webhook(secretOf('a')).verify(message.body, headers)).toEqual(JSON.parse(message.body));
  });

  it('verifies with either secret while one replaces the other', () => {
    const headers = signatureHeaders(message, [secretOf('a'), secretOf('b')], null);

    for (const letter of ['a', 'b'])
      expect(() => new Webhook(secretOf(letter)).verify(message.body, headers)).not.toThrow();
    expect(() => new Webhook(secretOf('c')).verify(message.body, headers)).toThrow();
  });

  it.each([
    ['another body', {}, ' '],
    ['another id', { 'webhook-id': 'msg_2' }, ''],
    ['another time', { 'webhook-timestamp': String(Math.floor(Date.now() / 1000) + 7) }, ''],
  ])('does not verify for %s', (_, changed, appended) => {
    const headers = { ...signatureHeaders(message, [secretOf('a')], null), ...changed };

    expect(() => new Webhook(secretOf('a')).verify(message.body + appended, headers)).toThrow();
  });

  it('names no key', () => {
    expect(signatureHeaders(message, [secretOf('a')], null)).not.toHaveProperty('webhook-key-id');
  });
});

describe('v1a: with our own key', () => {
  const signed = (headers: Record<string, string>) =>
    Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${message.body}`);
  const signatureOf = (headers: Record<string, string>) =>
    Buffer.from(/(?:^| )v1a,(\S+)/.exec(headers['webhook-signature']!)![1]!, 'base64');

  it('verifies with the public key that the headers name', () => {
    const headers = signatureHeaders(message, [], key);

    expect(headers['webhook-key-id']).toBe('callback-1');
    expect(verify(null, signed(headers), publicKey, signatureOf(headers))).toBe(true);
  });

  it('does not verify when a byte is changed', () => {
    const headers = signatureHeaders(message, [], key);

    expect(verify(null, signed({ ...headers, 'webhook-id': 'msg_2' }), publicKey, signatureOf(headers))).toBe(false);
  });

  it('stands beside v1, and disturbs nobody who only knows that', () => {
    const headers = signatureHeaders(message, [secretOf('a')], key);

    expect(headers['webhook-signature']!.split(' ')).toHaveLength(2);
    expect(() => new Webhook(secretOf('a')).verify(message.body, headers)).not.toThrow();
    expect(verify(null, signed(headers), publicKey, signatureOf(headers))).toBe(true);
  });
});

it('stamps whole seconds', () => {
  const headers = signatureHeaders({ ...message, sentAt: new Date(1_772_366_400_999) }, [secretOf('a')], null);

  expect(headers['webhook-timestamp']).toBe('1772366400');
});

it('keeps id and body over attempts, and signs the time of each', () => {
  const at = (ms: number) => signatureHeaders({ ...message, sentAt: new Date(ms) }, [secretOf('a')], null);
  const [first, second] = [at(1_772_366_400_000), at(1_772_366_405_000)];

  expect(second['webhook-id']).toBe(first['webhook-id']);
  expect(second['webhook-signature']).not.toBe(first['webhook-signature']);
});

it.each([
  ['no secret and no key', []],
  ['a secret without its prefix', [secretOf('a').slice(6)]],
  ['a secret that is not base64', ['whsec_not base64 at all!']],
  ['an empty secret', ['whsec_']],
  ['one sound secret and a broken one', [secretOf('a'), 'whsec_?']],
])('refuses to sign with %s, without naming it', (_, secrets) => {
  expect(() => signatureHeaders(message, secrets, null)).toThrow(Unsignable);
  for (const secret of secrets.filter((each) => each.length > 6)) {
    expect(() => signatureHeaders(message, secrets, null)).not.toThrow(secret);
  }
});
