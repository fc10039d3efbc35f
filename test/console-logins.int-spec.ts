import { once } from 'node:events';
import { createServer } from 'node:http';
import { Secret } from '#lib/runtime';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../apps/sandbox/src/sandbox.module.js';
import { ConsoleBrowser } from './support/console-browser.js';
import { freeConsecutivePorts } from './support/rabbitmq-ports.js';
import { RulesHouse } from './support/rules-house.js';

const limitMs = 60_000;
let house: RulesHouse;
let sandbox: Sandbox;
beforeAll(async () => {
  const port = await freeConsecutivePorts(3);
  // Where browsers are sent back to; each test goes on by hand from there.
  const publicUrl = `http://127.0.0.1:${port + 2}`;
  sandbox = await startSandbox({ port, assentUrl: publicUrl, assentApiKey: null });
  house = await RulesHouse.open({
    console: {
      ASSENT_PUBLIC_URL: publicUrl,
      ASSENT_CONSOLE_ISSUER: sandbox.issuer,
      ASSENT_CONSOLE_CLIENT_ID: sandbox.consoleClient.clientId,
      ASSENT_CONSOLE_CLIENT_SECRET: new Secret(sandbox.consoleClient.clientSecret),
    },
  });
}, limitMs);
afterAll(async () => {
  await house?.close();
  await sandbox?.stop();
}, limitMs);

const newBrowser = (url = house.url) => new ConsoleBrowser(url);
const locationOf = ({ headers }: { readonly headers: Readonly<Record<string, unknown>> }) =>
  String(headers['location']);

/** Sends the browser to the provider; `change` is what somebody does to the address on the way. */
async function begin(browser: ConsoleBrowser, returnTo?: string, change: (url: URL) => void = () => undefined) {
  const query = returnTo === undefined ? '' : `?returnTo=${encodeURIComponent(returnTo)}`;
  const begun = await browser.call('GET', `/console/api/login${query}`);
  expect(begun.status).toBe(302);
  const url = new URL(locationOf(begun));
  change(url);
  return url;
}

/** Logs in at the provider, and answers the address that it sends the browser back to. */
async function atProvider(authorization: URL, account: string): Promise<URL> {
  const provider = new ConsoleBrowser(sandbox.url);
  let address = authorization.href;
  for (let step = 0; step < 8; step++) {
    const answer = await provider.call('GET', address);
    if (answer.status === 200) address = `${address}/${account}`;
    else address = new URL(locationOf(answer), sandbox.url).href;
    if (address.includes('/console/api/callback')) return new URL(address);
  }
  throw new Error(`The provider leads nowhere: ${address}`);
}

const comeBack = (browser: ConsoleBrowser, to: URL) => browser.call('GET', `${to.pathname}${to.search}`);

/** The whole way, as a browser goes it. */
async function logIn(account: string, browser = newBrowser(), returnTo?: string) {
  const answer = await comeBack(browser, await atProvider(await begin(browser, returnTo), account));
  return { browser, answer };
}

describe('a login at the OpenID Provider', () => {
  it('is offered', async () => {
    expect((await newBrowser().session()).body.login).toEqual({ oidc: true, key: true });
  });

  it('asks with a code challenge, a state and a nonce that only this browser has', async () => {
    const [one, other] = [await begin(newBrowser()), await begin(newBrowser())];
    const members = Object.fromEntries(one.searchParams);
    expect(members).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      scope: 'openid profile email',
      client_id: sandbox.consoleClient.clientId,
    });
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(one.searchParams.get(name)).toMatch(/^[\w-]{43}$/);
      expect(one.searchParams.get(name)).not.toBe(other.searchParams.get(name));
    }
  });

  it('makes an administrator of whoever has the role, and comes back to the page that was wanted', async () => {
    const { browser, answer } = await logIn('alice', newBrowser(), '/console/transactions?status=pending');
    expect([answer.status, locationOf(answer)]).toEqual([302, '/console/transactions?status=pending']);
    expect([...browser.cookies.keys()]).toEqual(['__Host-assent-console']);
    expect((await browser.session()).body).toMatchObject({ user: { name: 'alice', role: 'admin' }, via: 'oidc' });
    const made = await browser.call<{ id: string }>('POST', '/v1/token-providers', {
      name: 'Made by alice',
      issuer: 'https://op.example',
    });
    expect(made.status).toBe(201);
    const log = await browser.call<{ data: object[] }>('GET', `/v1/audit-events?resource=${made.body.id}`);
    const actor = { type: 'user', id: `${sandbox.issuer} alice`, name: 'alice' };
    expect(log.body.data).toEqual([expect.objectContaining({ action: 'token-provider.created', actor })]);
  });

  it('makes an auditor of whoever has that role', async () => {
    const { browser, answer } = await logIn('bob');
    expect(locationOf(answer)).toBe('/console/overview');
    expect((await browser.session()).body.user).toEqual({ name: 'bob', role: 'auditor' });
    expect((await browser.call('GET', '/v1/rules')).status).toBe(200);
    expect((await browser.call('POST', '/v1/token-providers', {})).body.code).toBe('insufficient_scope');
  });

  it('lets nobody in who has no role', async () => {
    const strict = await house.startService({ ASSENT_CONSOLE_AUDITOR_ROLES: ['somebody-else'] });
    const { browser, answer } = await logIn('bob', newBrowser(strict.url!));
    expect(locationOf(answer)).toBe('/console/login?problem=no_role');
    expect(browser.cookies.size).toBe(0);
  });

  it('ends the session that was there before', async () => {
    const browser = newBrowser();
    await browser.logIn(house.apiKey);
    const former = browser.cookies.get('__Host-assent-console')!;
    await logIn('alice', browser);
    const left = newBrowser();
    left.cookies.set('__Host-assent-console', former);
    expect((await left.session()).status).toBe(401);
  });
});

/** What somebody does to a login on its way, and how it ends then; never with a session. */
const attacks: readonly (readonly [
  name: string,
  problem: string,
  run: () => Promise<{ browser: ConsoleBrowser; answer: { headers: Readonly<Record<string, unknown>> } }>,
])[] = [
  [
    'the same answer a second time',
    'login_expired',
    async () => {
      const browser = newBrowser();
      const back = await atProvider(await begin(browser), 'alice');
      const login = browser.cookies.get('__Host-assent-login')!;
      await comeBack(browser, back);
      const thief = newBrowser();
      thief.cookies.set('__Host-assent-login', login);
      return { browser: thief, answer: await comeBack(thief, back) };
    },
  ],
  [
    'the answer of somebody else’s login (fixation)',
    'login_refused',
    async () => {
      const [attacker, victim] = [newBrowser(), newBrowser()];
      const back = await atProvider(await begin(attacker), 'alice');
      await begin(victim);
      return { browser: victim, answer: await comeBack(victim, back) };
    },
  ],
  [
    'an answer without a login under way',
    'login_expired',
    async () => {
      const browser = newBrowser();
      return { browser, answer: await comeBack(browser, await atProvider(await begin(newBrowser()), 'alice')) };
    },
  ],
  [
    'a state that is not ours',
    'login_refused',
    async () => {
      const browser = newBrowser();
      const back = await atProvider(await begin(browser), 'alice');
      back.searchParams.set('state', 'A'.repeat(43));
      return { browser, answer: await comeBack(browser, back) };
    },
  ],
  [
    'no state',
    'login_refused',
    async () => {
      const browser = newBrowser();
      const back = await atProvider(await begin(browser), 'alice');
      back.searchParams.delete('state');
      return { browser, answer: await comeBack(browser, back) };
    },
  ],
  [
    'an ID token for another nonce',
    'login_refused',
    async () => {
      const browser = newBrowser();
      const url = await begin(browser, undefined, ({ searchParams }) => searchParams.set('nonce', 'another'));
      return { browser, answer: await comeBack(browser, await atProvider(url, 'alice')) };
    },
  ],
  [
    'a code for another verifier (PKCE)',
    'login_refused',
    async () => {
      const browser = newBrowser();
      const other = await begin(newBrowser());
      const url = await begin(browser, undefined, ({ searchParams }) =>
        searchParams.set('code_challenge', other.searchParams.get('code_challenge')!),
      );
      return { browser, answer: await comeBack(browser, await atProvider(url, 'alice')) };
    },
  ],
  [
    'a code that was made up',
    'login_refused',
    async () => {
      const browser = newBrowser();
      const back = await atProvider(await begin(browser), 'alice');
      back.searchParams.set('code', 'made-up');
      return { browser, answer: await comeBack(browser, back) };
    },
  ],
  [
    'the answer of another provider (RFC 9207)',
    'login_refused',
    async () => {
      const browser = newBrowser();
      const back = await atProvider(await begin(browser), 'alice');
      back.searchParams.set('iss', 'https://attacker.example');
      return { browser, answer: await comeBack(browser, back) };
    },
  ],
  [
    'a login that took too long',
    'login_expired',
    async () => {
      const browser = newBrowser();
      const back = await atProvider(await begin(browser), 'alice');
      await house.query(`update console_logins set expires_at = clock_timestamp() - interval '1 second'`);
      return { browser, answer: await comeBack(browser, back) };
    },
  ],
  [
    'somebody who changed their mind',
    'login_refused',
    async () => {
      const browser = newBrowser();
      const state = (await begin(browser)).searchParams.get('state')!;
      const back = new URL(`${house.url}/console/api/callback?error=access_denied&state=${state}`);
      back.searchParams.set('iss', sandbox.issuer);
      return { browser, answer: await comeBack(browser, back) };
    },
  ],
];

describe('a login that somebody meddles with', () => {
  it.each(attacks)('gives nobody a session: %s', async (_, problem, run) => {
    const { browser, answer } = await run();
    expect(locationOf(answer)).toBe(`/console/login?problem=${problem}`);
    expect(browser.cookies.has('__Host-assent-console')).toBe(false);
    expect((await browser.session()).status).toBe(401);
  });
});

it('says so when the provider is away', async () => {
  const nobody = createServer().listen(0, '127.0.0.1');
  await once(nobody, 'listening');
  const { port } = nobody.address() as { port: number };
  nobody.close();
  await once(nobody, 'close');
  const lonely = await house.startService({ ASSENT_CONSOLE_ISSUER: `http://127.0.0.1:${port}` });
  const answer = await newBrowser(lonely.url!).call('GET', '/console/api/login');
  expect([answer.status, locationOf(answer)]).toEqual([302, '/console/login?problem=provider_unavailable']);
});
