import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { isIP, type AddressInfo, type LookupFunction } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { createOutboundGuard } from './outbound-guard.js';

const strict = createOutboundGuard({ allowLoopback: false, allowedNetworks: [] });
const open = createOutboundGuard({ allowLoopback: true, allowedNetworks: ['10.1.0.0/16'] });

/** Ways to write an address of our own network that naive checks let through, and names that lead there. */
const { spellings, names } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../test/support/outbound-addresses.json'), 'utf8'),
) as {
  readonly spellings: readonly { readonly url: string; readonly why: string }[];
  readonly names: readonly { readonly host: string; readonly why: string; readonly answers: readonly string[][] }[];
};

describe('the outbound guard', () => {
  it('refuses every spelling of what is not public, by its text', () => {
    expect(spellings.length).toBeGreaterThanOrEqual(150);
    const permitted = spellings.filter(({ url }) => strict.problem(url.replaceAll('PORT', '8443')) === null);
    expect(permitted).toEqual([]);
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

  it('permits named ports and no others, where some are named', () => {
    const guard = createOutboundGuard({ allowLoopback: true, allowedNetworks: [], allowedPorts: [443, 9031] });
    for (const url of ['https://example.com/', 'https://example.com:443/', 'https://op.example:9031/as']) {
      expect(guard.problem(url)).toBeNull();
    }
    for (const [url, port] of [
      ['https://example.com:22/', 22],
      ['https://example.com:0/', 0],
      ['http://127.0.0.1/', 80],
    ] as const) {
      expect(guard.problem(url)).toBe(`port ${port} is not among those that may be called`);
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

    it.each(names)('opens no connection to $host: $why', async ({ host, answers }) => {
      const left = [...answers];
      const lookup: LookupFunction = (_host, options, callback) => {
        const found = (left.length > 1 ? left.shift()! : left[0]!).map((address) => ({
          address,
          family: isIP(address),
        }));
        if (options.all) callback(null, found);
        else callback(null, found[0]?.address ?? '', found[0]?.family);
      };
      const guard = createOutboundGuard({ allowLoopback: false, allowedNetworks: [], lookup });
      const agent = new Agent({ connect: guard.connector() });
      // A name that changes is harmless until it has: an address that is asked for then is nobody's.
      for (let question = 0; question < answers.length; question++) {
        const isLast = question === answers.length - 1;
        const refused = expect.objectContaining({ code: 'OUTBOUND_REFUSED' });
        const signal = AbortSignal.timeout(isLast ? 10_000 : 50);
        const failure = await request(`https://${host}:${port()}/`, { dispatcher: agent, signal }).catch(
          (error: unknown) => error,
        );
        if (isLast) expect(failure).toEqual(refused);
      }
      await agent.destroy();
      expect(connections).toBe(0);
    });

    it('opens no connection to a port that is not among those named', async () => {
      const guard = createOutboundGuard({ allowLoopback: true, allowedNetworks: [], allowedPorts: [443] });
      const agent = new Agent({ connect: guard.connector() });
      await expect(request(`http://127.0.0.1:${port()}/`, { dispatcher: agent })).rejects.toMatchObject({
        code: 'OUTBOUND_REFUSED',
      });
      await agent.close();
      expect(connections).toBe(0);
    });

    it('connects where it may', async () => {
      const agent = new Agent({ connect: open.connector() });
      const answer = await request(`http://localhost:${port()}/`, { dispatcher: agent });
      expect(await answer.body.text()).toBe('reached');
      await agent.close();
    });
  });
});
