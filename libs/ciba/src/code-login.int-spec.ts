import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CodeLogin } from './code-login.js';
import { ProviderUnavailable } from './provider-faults.js';

/** Bytes that are put into the discovery document, and whether they are sent compressed. */
let padding = 0;
let compressed = false;
let issuer: string;
let server: Server;

beforeAll(async () => {
  server = createServer((_request, response) => {
    const endpoints = { authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` };
    const body = Buffer.from(JSON.stringify({ issuer, ...endpoints, padding: 'a'.repeat(padding) }));
    const encoding = compressed ? { 'content-encoding': 'gzip' } : {};
    response.writeHead(200, { 'content-type': 'application/json', ...encoding });
    response.end(compressed ? gzipSync(body) : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('the discovery document of a login', () => {
  const secrets = { state: 'state', nonce: 'nonce', codeVerifier: 'a'.repeat(43) };

  async function beginning(sent: { padding: number; compressed: boolean }): Promise<URL> {
    ({ padding, compressed } = sent);
    const login = new CodeLogin({
      issuer,
      clientId: 'console',
      clientSecret: null,
      redirectUri: 'https://assent.example/console/api/callback',
      scope: 'openid',
      allowInsecureHttp: true,
    });
    try {
      return await login.begin(secrets);
    } finally {
      await login.close();
    }
  }

  it.each([false, true])('is read when it is small; compressed: %s', async (compressed) => {
    expect((await beginning({ padding: 1000, compressed })).origin).toBe(issuer);
  });

  it.each([false, true])('is not read when it is larger than 256 KiB; compressed: %s', async (compressed) => {
    await expect(beginning({ padding: 1_000_000, compressed })).rejects.toThrow(ProviderUnavailable);
  });
});
