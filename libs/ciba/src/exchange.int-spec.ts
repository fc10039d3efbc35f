import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { buildConnector } from 'undici';
import {
  createCertificateAuthority,
  type CertificateAuthority,
  type CertifiedKey,
} from '../../../test/support/certificates.js';
import {
  startScriptedProvider,
  type ScriptedProvider,
  type ScriptedProviderOptions,
  type ScriptedReply,
} from '../../../test/support/scripted-provider.js';
import { CibaClient, type CibaClientOptions, type ClientRegistration, type StartRequest } from './index.js';

/** What certainly did not happen, and what may have happened: the distinction that retries depend on. */

const request: StartRequest = {
  scope: 'openid',
  loginHint: 'alice@example.com',
  bindingMessage: null,
  requestedExpirySeconds: null,
  acrValues: [],
  authorizationDetails: null,
  userCode: null,
  clientNotificationToken: null,
};

let authority: CertificateAuthority;
let serverKey: CertifiedKey;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  authority = await createCertificateAuthority('Test Authority');
  serverKey = await authority.issue({ commonName: 'op', names: [{ type: 'ip', value: '127.0.0.1' }] });
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function aProvider(options?: ScriptedProviderOptions): Promise<ScriptedProvider> {
  const provider = await startScriptedProvider(options);
  cleanUps.push(() => provider.stop());
  return provider;
}

function aClient(options: Partial<CibaClientOptions> = {}): CibaClient {
  const client = new CibaClient({ allowInsecureHttp: true, timeoutMs: 5_000, pollTimeoutMs: 5_000, ...options });
  cleanUps.push(() => client.close());
  return client;
}

/** A registration whose provider needs no discovery, so that the first connection is the call itself. */
function aRegistration(baseUrl: string, change: Partial<ClientRegistration['provider']> = {}): ClientRegistration {
  return {
    key: 'rule-1.1',
    clientId: 'client-1',
    credentials: { type: 'secret', clientSecret: 'secret', method: null },
    provider: {
      id: 'op-1.1',
      issuer: baseUrl,
      metadata: {
        issuer: baseUrl,
        backchannel_authentication_endpoint: `${baseUrl}/backchannel`,
        token_endpoint: `${baseUrl}/token`,
        jwks_uri: `${baseUrl}/jwks`,
      },
      trustedCertificates: [],
      profile: 'generic',
      ...change,
    },
  };
}

async function outcomes(client: CibaClient, registration: ClientRegistration): Promise<[string, string]> {
  const start = await client.start(registration, request);
  const poll = await client.poll(registration, 'id-1');
  return [start.kind, poll.kind];
}

/** A listener that does to each connection what the test says. */
async function aListener(behave: (socket: Socket) => void): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    behave(socket);
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  const port = 10_000 + Math.floor(Math.random() * 20_000);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('nothing was sent when', () => {
  const notSent: [string, string] = ['not-accepted', 'not-sent'];

  it('nobody listens', async () => {
    const provider = await aProvider();
    const registration = aRegistration(provider.issuer);
    await provider.goAway();
    expect(await outcomes(aClient(), registration)).toEqual(notSent);
  });

  it('the name is unknown', async () => {
    expect(await outcomes(aClient(), aRegistration('http://op.invalid'))).toEqual(notSent);
  });

  it('the connection is not made in time, and it is not sent afterwards either', async () => {
    const provider = await aProvider();
    let connectNow: () => void = () => undefined;
    const connect = (tls: buildConnector.BuildOptions) => {
      const real = buildConnector(tls);
      const slow: buildConnector.connector = (options, callback) => {
        connectNow = () => real(options, callback);
      };
      return slow;
    };
    const registration = aRegistration(provider.issuer);
    const client = aClient({ connect, timeoutMs: 50, pollTimeoutMs: 50 });
    expect((await client.start(registration, request)).kind).toBe('not-accepted');
    connectNow();
    const other = provider.nextCall('backchannel');
    await aClient().start(registration, { ...request, loginHint: 'bob@example.com' });
    expect((await other).form.get('login_hint')).toBe('bob@example.com');
    await client.close();
    expect(provider.calls('backchannel')).toHaveLength(1);
  });

  it('the outbound guard refuses the address', async () => {
    const provider = await aProvider();
    const connect = (): buildConnector.connector => (_options, callback) => callback(new Error('refused'), null);
    expect(await outcomes(aClient({ connect }), aRegistration(provider.issuer))).toEqual(notSent);
    expect(provider.ledger).toHaveLength(0);
  });

  it('the authority is not trusted', async () => {
    const provider = await aProvider({ tls: { cert: serverKey.certificatePem, key: serverKey.privateKeyPem } });
    expect(await outcomes(aClient(), aRegistration(provider.issuer))).toEqual(notSent);
    expect(provider.ledger).toHaveLength(0);
  });

  it.each([
    [
      'the certificate is for another name',
      { commonName: 'op', names: [{ type: 'dns' as const, value: 'op.example' }] },
    ],
    [
      'the certificate has expired',
      { commonName: 'op', names: [{ type: 'ip' as const, value: '127.0.0.1' }], notAfter: new Date(0) },
    ],
  ])('%s', async (_what, certificate) => {
    const { certificatePem, privateKeyPem } = await authority.issue(certificate);
    const provider = await aProvider({ tls: { cert: certificatePem, key: privateKeyPem } });
    const registration = aRegistration(provider.issuer, { trustedCertificates: [authority.certificatePem] });
    expect(await outcomes(aClient(), registration)).toEqual(notSent);
    expect(provider.ledger).toHaveLength(0);
  });

  it('the other side does not speak TLS', async () => {
    const address = await aListener((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await outcomes(aClient(), aRegistration(`https://${address}`))).toEqual(notSent);
  });

  it('the other side hangs up within the handshake', async () => {
    const address = await aListener((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await outcomes(aClient(), aRegistration(`https://${address}`))).toEqual(notSent);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'the provider wants a client certificate and gets none, in %s',
    async (version) => {
      const provider = await aProvider({
        tls: {
          cert: serverKey.certificatePem,
          key: serverKey.privateKeyPem,
          ca: authority.certificatePem,
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: version,
          maxVersion: version,
        },
      });
      const registration = aRegistration(provider.issuer, { trustedCertificates: [authority.certificatePem] });
      expect(await outcomes(aClient(), registration)).toEqual(notSent);
      expect(provider.ledger).toHaveLength(0);
    },
  );

  it('the client is closed', async () => {
    const provider = await aProvider();
    const registration = aRegistration(provider.issuer);
    const client = aClient();
    await client.poll(registration, 'id-1');
    await client.close();
    expect(await outcomes(client, registration)).toEqual(notSent);
  });

  it('discovery fails', async () => {
    const provider = await aProvider();
    const registration = aRegistration(provider.issuer, { metadata: null });
    provider.on('discovery', () => ({ status: 503, body: '' }));
    expect(await outcomes(aClient(), registration)).toEqual(notSent);
    expect(provider.calls('backchannel')).toHaveLength(0);
  });
});

describe('nobody knows when', () => {
  const lost: [string, string] = ['unknown', 'lost'];
  const tokens = { json: { access_token: 'at', token_type: 'Bearer', id_token: 'x.y.z' } };
  const answers: [string, ScriptedReply][] = [
    ['the connection is reset after the request', { reset: true }],
    ['the connection ends without an answer', { rawBytes: '' }],
    ['the headers are cut', { rawBytes: 'HTTP/1.1 200 OK\r\ncontent-le' }],
    ['the body is cut before its first byte', { ...tokens, cutAfterBytes: 0 }],
    ['the body is cut before its last byte', { ...tokens, cutAfterBytes: JSON.stringify(tokens.json).length - 1 }],
    ['a chunk is cut', { rawBytes: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{"acc' }],
    ['the answer is not HTTP', { rawBytes: 'hello\r\n\r\n' }],
    ['the headers never end', { rawBytes: `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}` }],
  ];

  it.each(answers)('%s', async (_what, reply) => {
    const provider = await aProvider();
    provider.on('backchannel', () => reply);
    provider.on('token', () => reply);
    expect(await outcomes(aClient(), aRegistration(provider.issuer))).toEqual(lost);
    expect([provider.calls('backchannel').length, provider.calls('token').length]).toEqual([1, 1]);
  });

  it.each([
    ['no answer comes in time', { hang: true }],
    ['the last byte does not come in time', { ...tokens, stall: true }],
  ] as [string, ScriptedReply][])('%s', async (_what, reply) => {
    const provider = await aProvider();
    provider.on('backchannel', () => reply);
    provider.on('token', () => reply);
    const client = aClient({ timeoutMs: 200, pollTimeoutMs: 200 });
    expect(await outcomes(client, aRegistration(provider.issuer))).toEqual(lost);
    expect([provider.calls('backchannel').length, provider.calls('token').length]).toEqual([1, 1]);
  });

  it('an answer trickles in without an end', async () => {
    const address = await aListener((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
      const trickle = setInterval(() => socket.write(' '), 20);
      socket.on('close', () => clearInterval(trickle));
    });
    const client = aClient({ timeoutMs: 200, pollTimeoutMs: 200 });
    expect(await outcomes(client, aRegistration(`http://${address}`))).toEqual(lost);
  });

  it('the provider hangs up under a connection that was used before, and the call is not repeated', async () => {
    const provider = await aProvider();
    const registration = aRegistration(provider.issuer);
    const client = aClient();
    expect((await client.poll(registration, 'id-1')).kind).toBe('invalid-grant');
    provider.on('token', () => ({ reset: true }));
    expect((await client.poll(registration, 'id-1')).kind).toBe('lost');
    expect(provider.calls('token')).toHaveLength(2);
    provider.off('token');
    expect((await client.poll(registration, 'id-1')).kind).toBe('invalid-grant');
  });
});

describe('connections', () => {
  it('are kept alive from poll to poll', async () => {
    const provider = await aProvider();
    const registration = aRegistration(provider.issuer);
    const client = aClient();
    for (let poll = 0; poll < 5; poll += 1) {
      await client.poll(registration, 'id-1');
      await setImmediate();
    }
    expect(new Set(provider.calls('token').map((call) => call.remotePort)).size).toBe(1);
  });

  it('are not followed anywhere else (R30)', async () => {
    const elsewhere = await aProvider();
    const provider = await aProvider();
    const away = { status: 307, headers: { location: `${elsewhere.issuer}/token` }, json: {} };
    provider.on('token', () => away);
    provider.on('backchannel', () => away);
    expect(await outcomes(aClient(), aRegistration(provider.issuer))).toEqual(['provider-error', 'lost']);
    expect(elsewhere.ledger).toHaveLength(0);
  });

  it('are closed when too much comes', async () => {
    const provider = await aProvider();
    provider.on('token', () => ({ json: { error: 'authorization_pending', padding: 'x'.repeat(1 << 20) } }));
    const client = aClient();
    expect((await client.poll(aRegistration(provider.issuer), 'id-1')).kind).toBe('lost');
    provider.off('token');
    await client.poll(aRegistration(provider.issuer), 'id-1');
    expect(new Set(provider.calls('token').map((call) => call.remotePort)).size).toBe(2);
  });
});
