import { describe, expect, it } from '@jest/globals';
import { NotificationTransport } from './notification-transport.js';

const stranger = '198.51.100.1';
const proxy = '10.1.2.3';

function sourceOf(options: { allowLoopback?: boolean; proxies?: string[] }, socket: object, headers = {}): string {
  const { allowLoopback = false, proxies = [] } = options;
  const transport = new NotificationTransport({ allowLoopback, trustedProxies: proxies });
  return transport.sourceOf({ socket, headers });
}

describe('the transport of a notification (R10)', () => {
  it('may be TLS that ends here', () => {
    expect(sourceOf({}, { remoteAddress: stranger, encrypted: true })).toBe(stranger);
  });

  it('may be TLS that ends at a trusted proxy', () => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': stranger };
    expect(sourceOf({ proxies: ['10.0.0.0/8'] }, { remoteAddress: proxy }, headers)).toBe(stranger);
  });

  it('may be plain http on one machine, for development', () => {
    for (const remoteAddress of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
      expect(sourceOf({ allowLoopback: true }, { remoteAddress })).toMatch(/127|::1/);
    }
  });

  const https = { 'x-forwarded-proto': 'https' };
  it.each<[string, Parameters<typeof sourceOf>]>([
    ['plain http', [{}, { remoteAddress: stranger }]],
    ['plain http from this machine, where that is not for development', [{}, { remoteAddress: '127.0.0.1' }]],
    ['plain http from elsewhere, in development', [{ allowLoopback: true }, { remoteAddress: stranger }]],
    ['plain http that says it is more', [{}, { remoteAddress: stranger }, https]],
    ['plain http from a proxy that nobody trusts', [{ proxies: ['10.9.0.0/16'] }, { remoteAddress: proxy }, https]],
    ['plain http that a trusted proxy passes on', [{ proxies: ['10.0.0.0/8'] }, { remoteAddress: proxy }]],
    [
      'plain http that a proxy on this machine passes on, in development',
      [
        { allowLoopback: true, proxies: ['127.0.0.0/8'] },
        { remoteAddress: '127.0.0.1' },
        { 'x-forwarded-proto': 'http', 'x-forwarded-for': stranger },
      ],
    ],
    ['a connection that has gone', [{ allowLoopback: true }, {}]],
  ])('is not %s', (_what, call) => {
    expect(() => sourceOf(...call)).toThrow(/insecure_transport/);
  });
});
