import { describe, expect, it } from '@jest/globals';
import { CallOrigins, isLoopback } from './call-origin.js';

const origins = new CallOrigins(['10.0.0.0/8', '192.0.2.7/32', '2001:db8::/32']);
const proxy = '10.1.2.3';
const stranger = '198.51.100.1';

const of = (peer: string, headers: Record<string, string> = {}, encrypted = false) =>
  origins.of({ peer, encrypted, headers });

describe('a call that comes straight from a stranger', () => {
  it.each([true, false])('is what its connection is (TLS: %s), whatever its headers say', (encrypted) => {
    const headers = { 'x-forwarded-proto': 'https', forwarded: 'for=192.0.2.1;proto=https', 'x-forwarded-for': '::1' };
    expect(of(stranger, headers, encrypted)).toEqual({ source: stranger, encrypted });
  });

  it('is no proxy when nobody is trusted', () => {
    const nobody = new CallOrigins([]);
    expect(nobody.of({ peer: proxy, encrypted: false, headers: { 'x-forwarded-proto': 'https' } }).encrypted).toBe(
      false,
    );
  });
});

describe('a call that a trusted proxy passes on', () => {
  it.each<[string, Record<string, string>, boolean]>([
    ['https, in the header of old', { 'x-forwarded-proto': 'https' }, true],
    ['HTTPS', { 'x-forwarded-proto': 'HTTPS' }, true],
    ['https, in the standard header', { forwarded: 'for=198.51.100.1;proto=https' }, true],
    ['https, quoted and in another order', { forwarded: 'Proto="https"; For="198.51.100.1:4711"' }, true],
    ['https from each of two proxies', { 'x-forwarded-proto': 'https, https' }, true],
    ['http', { 'x-forwarded-proto': 'http' }, false],
    ['nothing', {}, false],
    ['an empty value', { 'x-forwarded-proto': '' }, false],
    ['something else', { 'x-forwarded-proto': 'wss' }, false],
    ['what the caller wrote before it', { 'x-forwarded-proto': 'https, http' }, false],
    ['what the caller wrote behind it', { 'x-forwarded-proto': 'http, https' }, false],
    ['one thing and another thing', { 'x-forwarded-proto': 'http', forwarded: 'proto=https' }, false],
    ['nothing, behind what the caller wrote', { forwarded: 'proto=https, for=198.51.100.1' }, false],
    ['two elements that differ', { forwarded: 'proto=https, for=10.0.0.1;proto=http' }, false],
  ])('was encrypted only if the proxy says so: %s', (_what, headers, encrypted) => {
    expect(of(proxy, headers).encrypted).toBe(encrypted);
  });

  it('over TLS that ends here was encrypted, unless the proxy knows better', () => {
    expect(of(proxy, {}, true).encrypted).toBe(true);
    expect(of(proxy, { 'x-forwarded-proto': 'http' }, true).encrypted).toBe(false);
  });

  it.each<[string, Record<string, string>, string]>([
    ['one address', { 'x-forwarded-for': stranger }, stranger],
    ['an address with a port', { 'x-forwarded-for': `${stranger}:4711` }, stranger],
    ['further proxies of ours', { 'x-forwarded-for': `${stranger}, 192.0.2.7, 10.9.9.9` }, stranger],
    ['addresses that the caller made up', { 'x-forwarded-for': `127.0.0.1, 10.0.0.1, ${stranger}` }, stranger],
    ['the standard header', { forwarded: `for="[2001:db9::1]:47011";proto=https` }, '2001:db9::1'],
    ['an unknown element', { forwarded: `for=127.0.0.1, proto=https` }, 'unknown'],
    ['an IPv4 address inside an IPv6 one', { 'x-forwarded-for': `::ffff:${stranger}` }, stranger],
    ['nothing', {}, proxy],
    ['proxies only', { 'x-forwarded-for': '10.0.0.1' }, '10.0.0.1'],
    ['rubbish', { 'x-forwarded-for': 'rubbish' }, 'rubbish'],
  ])('comes from the first that is no proxy: %s', (_what, headers, source) => {
    expect(of(proxy, headers).source).toBe(source);
  });

  it('may come over IPv6, and over IPv4 inside IPv6', () => {
    for (const peer of ['2001:db8::1', '::ffff:10.1.2.3', '::ffff:a01:203']) {
      expect(of(peer, { 'x-forwarded-proto': 'https' }).encrypted).toBe(true);
    }
  });
});

describe('the list of proxies', () => {
  it.each(['10.0.0.0/33', '10.0.0/8', 'proxy.example', '10.0.0.1', '10.0.0.0/', '10.0.0.0/8/8', '::/129', ''])(
    'refuses "%s" by the name of the setting',
    (network) => {
      expect(() => new CallOrigins([network])).toThrow(/^ASSENT_TRUSTED_PROXIES: /);
    },
  );
});

it.each<[string, boolean]>([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['128.0.0.1', false],
  ['::2', false],
  ['localhost', false],
  ['unknown', false],
])('%s is an address of this machine: %s', (address, loopback) => {
  expect(isLoopback(address)).toBe(loopback);
});
