import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { isIP, type AddressInfo, type LookupFunction } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { createCertificateAuthority } from '../../../test/support/certificates.js';
import { createOutboundGuard } from './outbound-guard.js';

const strict = createOutboundGuard({ allowLoopback: false, allowedNetworks: [] });
const open = createOutboundGuard({ allowLoopback: true, allowedNetworks: ['10.1.0.0/16'] });

/** Ways to write an address of our own network that naive checks let through. */
const hidden = [
  '127.0.0.1',
  '127.1',
  '0x7f000001',
  '2130706433',
  '017700000001',
  '0177.0.0.1',
  '0',
  '0.0.0.0',
  '127.0.0.1.',
  '①②⑦.⓪.⓪.①',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[fd00::1]',
  '[fe80::1]',
  '[ff02::1]',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'printer.localhost',
];

describe('the outbound guard', () => {
  it.each(hidden)('refuses https://%s by its text', (host) => {
    expect(strict.problem(`https://${host}/`)).not.toBeNull();
  });

  it.each([
    ['http://example.com/', 'it is not https'],
    ['ftp://example.com/', 'it is not https'],
    ['javascript:alert(1)', 'it is not https'],
    ['https://user:pw@example.com/', 'it has a user name or password'],
    ['/callback', 'it is not an absolute address'],
    ['', 'it is not an absolute address'],
  ])('refuses %s: %s', (url, problem) => {
    expect(strict.problem(url)).toBe(problem);
  });

  it.each(['https://example.com/', 'https://8.8.8.8/', 'https://[2606:4700::1111]/', 'https://example.com:8443/x?y=z'])(
    'permits %s',
    (url) => {
      expect(strict.problem(url)).toBeNull();
    },
  );

  it('permits loopback, plain http and named networks when told so, and nothing more', () => {
    for (const url of ['http://127.0.0.1:3001/', 'http://localhost/', 'http://[::1]/', 'https://10.1.2.3/']) {
      expect(open.problem(url)).toBeNull();
    }
    for (const url of ['https://10.2.0.1/', 'https://192.168.0.1/', 'https://169.254.169.254/']) {
      expect(open.problem(url)).not.toBeNull();
    }
  });

  it('says which network it cannot read', () => {
    expect(() => createOutboundGuard({ allowLoopback: false, allowedNetworks: ['10.0.0.0'] })).toThrow(/"10.0.0.0"/);
    expect(() => createOutboundGuard({ allowLoopback: false, allowedNetworks: ['10.0.0.0/33'] })).toThrow(/33/);
  });

  describe('connecting', () => {
    let server: Server;
    let connections = 0;

    beforeAll(async () => {
      server = createServer((_request, response) => response.end('reached'));
      server.on('connection', () => connections++);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    });
    afterAll(() => new Promise((resolve) => server.close(resolve)));

    const port = () => (server.address() as AddressInfo).port;

    it.each(['127.0.0.1', '127.1', '2130706433', '[::ffff:127.0.0.1]', 'localhost', '0'])(
      'opens no connection to %s',
      async (host) => {
        // Plain http is refused by its text already; what is tested here is the connector with an https target too.
        for (const scheme of ['http', 'https']) {
          const agent = new Agent({ connect: strict.connector() });
          await expect(request(`${scheme}://${host}:${port()}/`, { dispatcher: agent })).rejects.toMatchObject({
            code: 'OUTBOUND_REFUSED',
          });
          await agent.close();
        }
        expect(connections).toBe(0);
      },
    );

    it.each([
      ['into our network', ['127.0.0.1']],
      ['there when it is asked for the connection', ['8.8.8.8', '127.0.0.1']],
    ])('sends nothing to a harmless name that leads %s', async (_, addresses) => {
      const lookup: LookupFunction = (_host, options, callback) => {
        const address = addresses.length > 1 ? addresses.shift()! : addresses[0]!;
        if (options.all) callback(null, [{ address, family: isIP(address) }]);
        else callback(null, address, isIP(address));
      };
      const authority = await createCertificateAuthority('a test');
      const own = await authority.issue({ commonName: 'shop', names: [{ type: 'dns', value: 'shop.example' }] });
      let requests = 0;
      const tripwire = createTlsServer({ cert: own.certificatePem, key: own.privateKeyPem }, () => requests++);
      await new Promise<void>((resolve) => tripwire.listen(0, '127.0.0.1', resolve));
      const guard = createOutboundGuard({ allowLoopback: false, allowedNetworks: [], lookup });
      const agent = new Agent({ connect: guard.connector({ ca: [authority.certificatePem] }) });
      const url = `https://shop.example:${(tripwire.address() as AddressInfo).port}/`;

      await expect(request(url, { dispatcher: agent })).rejects.toMatchObject({
        code: 'OUTBOUND_REFUSED',
        message: expect.stringContaining('127.0.0.1'),
      });
      expect(requests).toBe(0);
      await agent.close();
      await new Promise((resolve) => tripwire.close(resolve));
    });

    it('connects where it may', async () => {
      const agent = new Agent({ connect: open.connector() });
      const answer = await request(`http://localhost:${port()}/`, { dispatcher: agent });
      expect(await answer.body.text()).toBe('reached');
      await agent.close();
    });
  });
});
