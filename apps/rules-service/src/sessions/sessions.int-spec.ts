import { randomUUID } from 'node:crypto';
import type { AuditEvent, Page, Problem, Rule, Scope, Timeline } from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsoleBrowser } from '../../../../test/support/console-browser.js';
import { sealWhole } from '../../../../test/support/postgres-builders.js';
import { RulesHouse } from '../../../../test/support/rules-house.js';
import { sessionAttacks, strangeReturnAddresses } from '../../../../test/support/session-attacks.js';

const limitMs = 60_000;
const cookieName = '__Host-assent-console';
const allScopes: Scope[] = ['admin:read', 'admin:write', 'requests:read', 'requests:write'];

let house: RulesHouse;
let rule: Rule;
beforeAll(async () => {
  house = await RulesHouse.open();
  rule = await house.rule();
}, limitMs);
afterAll(() => house?.close(), limitMs);

const newBrowser = (url = house.url) => new ConsoleBrowser(url);
/** Everybody comes from an address of their own, so that nobody uses up another one's allowance. */
const newKey = async (...scopes: Scope[]) =>
  house.admin.create<{ id: string; key: string; name: string }>('api-clients', {
    name: `Key ${randomUUID()}`,
    scopes,
  });
const loggedIn = async (...scopes: Scope[]) => {
  const browser = newBrowser();
  const key = await newKey(...scopes);
  expect((await browser.logIn(key.key)).status).toBe(200);
  return { browser, key };
};
const rulePath = () => `/v1/rules/${rule.id}`;
const statusOf = async (browser: ConsoleBrowser, path = rulePath()) => (await browser.call('GET', path)).status;

describe('a session that an API key begins', () => {
  it('says who is logged in, and is told how to come in before that', async () => {
    const browser = newBrowser();
    const before = await browser.session();
    expect(before).toMatchObject({ status: 401, body: { code: 'unauthenticated', login: { oidc: false, key: true } } });
    const { status, body, headers } = await browser.logIn(house.apiKey);
    expect(status).toBe(200);
    expect(body).toEqual({
      user: { name: 'Bootstrap key', role: 'admin' },
      via: 'key',
      csrfToken: expect.stringMatching(/^[\w-]{43}$/),
      idleSeconds: 1800,
      expiresAt: expect.any(String),
    });
    expect(Date.parse(body.expiresAt) - Date.now()).toBeGreaterThan(43_000_000);
    expect(headers['set-cookie']).toMatch(/^__Host-assent-console=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
    expect((await browser.session()).body).toEqual(body);
  });

  it('counts for the whole API, as what its key may do', async () => {
    const { browser } = await loggedIn(...allScopes);
    expect(await statusOf(browser)).toBe(200);
    const changed = await browser.call('PATCH', rulePath(), { name: `Renamed ${randomUUID()}` });
    expect(changed.status).toBe(200);
    const asked = await browser.call<{ id: string }>('POST', '/v1/authorization-requests', {
      rule: rule.id,
      attributes: { email: 'alice@example.com' },
    });
    expect(asked.status).toBe(202);
    expect(await statusOf(browser, `/v1/authorization-requests/${asked.body.id}`)).toBe(200);
    expect((await browser.call('GET', '/console/api/overview')).status).toBe(200);
  });

  it('lets an auditor look, and nobody in who may not even look', async () => {
    const { browser } = await loggedIn('admin:read', 'requests:read');
    expect((await browser.session()).body.user.role).toBe('auditor');
    expect(await statusOf(browser)).toBe(200);
    const app = await newKey('requests:read', 'requests:write');
    expect((await newBrowser().logIn(app.key)).body).toMatchObject({ status: 403, code: 'insufficient_scope' });
  });

  it('never does more than its key: one without the scope to ask asks nobody', async () => {
    const { browser } = await loggedIn('admin:read', 'admin:write');
    const asked = await browser.call('POST', '/v1/authorization-requests', { rule: rule.id, attributes: {} });
    expect(asked.body.code).toBe('insufficient_scope');
  });

  it('is somebody else’s with every login: a secret that was there before is never taken over', async () => {
    const browser = newBrowser();
    browser.cookies.set(cookieName, 'B'.repeat(43));
    await browser.logIn(house.apiKey);
    const first = browser.cookies.get(cookieName)!;
    expect(first).not.toBe('B'.repeat(43));
    await browser.logIn(house.apiKey);
    expect(browser.cookies.get(cookieName)).not.toBe(first);
    const left = newBrowser();
    left.cookies.set(cookieName, first);
    expect((await left.session()).status).toBe(401);
  });

  it('ends with the log-out, for whoever has the cookie', async () => {
    const { browser } = await loggedIn(...allScopes);
    const thief = newBrowser();
    thief.cookies.set(cookieName, browser.cookies.get(cookieName)!);
    expect(await statusOf(thief)).toBe(200);
    expect((await browser.call('DELETE', '/console/api/session')).status).toBe(204);
    expect(browser.cookies.size).toBe(0);
    expect([await statusOf(thief), await statusOf(browser)]).toEqual([401, 401]);
  });

  it('ends with its key, and narrows with it', async () => {
    const { browser, key } = await loggedIn(...allScopes);
    const client = `/v1/api-clients/${key.id}`;
    await house.admin.call('PATCH', client, { scopes: ['admin:read'] });
    expect((await browser.session()).body.user.role).toBe('auditor');
    expect((await browser.call('PATCH', rulePath(), {})).status).toBe(403);
    await house.admin.call('DELETE', client);
    expect(await statusOf(browser)).toBe(401);
  });

  it('keeps nothing that could be used: hashes alone are in the tables', async () => {
    const { browser } = await loggedIn(...allScopes);
    const rows = JSON.stringify(await house.query('select s::text from console_sessions s'));
    expect(rows).not.toContain(browser.cookies.get(cookieName)!);
    expect(rows).not.toContain(browser.csrfToken!);
  });
});

describe('the end of a session', () => {
  const moved = async (browser: ConsoleBrowser, column: string, to: string) => {
    // The name of a key belongs to one session here.
    const { body } = await browser.session();
    await house.query(`update console_sessions set ${column} = ${to} where user_name = $1`, [body.user.name]);
    await house.database.consoleSessions.close(Buffer.alloc(32), () => {
      throw new Error('There is no such session.');
    });
  };

  it('comes when nothing was done for too long', async () => {
    const { browser } = await loggedIn(...allScopes);
    await moved(browser, 'idle_until', `clock_timestamp() - interval '1 second'`);
    expect(await statusOf(browser)).toBe(401);
  });

  it('is put off by what somebody does, and not by what the page asks for by itself', async () => {
    const { browser } = await loggedIn(...allScopes);
    const idleUntil = async () => {
      const name = (await browser.session()).body.user.name;
      const rows = await house.query<{ left: number }>(
        `select extract(epoch from idle_until - clock_timestamp())::float as left from console_sessions where user_name = $1`,
        [name],
      );
      return rows[0]!.left;
    };
    await moved(browser, 'idle_until', `clock_timestamp() + interval '10 minutes'`);
    await browser.call('GET', rulePath(), undefined, { 'x-background': '1' });
    expect(await idleUntil()).toBeLessThan(601);
    await browser.call('GET', rulePath());
    expect(await idleUntil()).toBeGreaterThan(1_700);
  });

  it('comes in any case at its time: nothing is put off beyond it', async () => {
    const { browser } = await loggedIn(...allScopes);
    await moved(
      browser,
      'expires_at',
      `clock_timestamp() + interval '20 minutes', idle_until = clock_timestamp() + interval '1 minute'`,
    );
    await browser.call('GET', rulePath());
    const rows = await house.query<{ same: boolean }>(
      'select idle_until = expires_at as same from console_sessions where user_name = $1',
      [(await browser.session()).body.user.name],
    );
    expect(rows).toEqual([{ same: true }]);
  });

  it('leaves nothing behind once housekeeping has been there', async () => {
    const { browser } = await loggedIn(...allScopes);
    const { name } = (await browser.session()).body.user;
    await moved(browser, 'idle_until', `clock_timestamp() - interval '1 second'`);
    await house.database.consoleLogins.begin({ secretHash: Buffer.alloc(32, 1), returnTo: '/console', lifeSeconds: 0 });
    await house.database.housekeep();
    expect(await house.query('select id from console_sessions where user_name = $1', [name])).toEqual([]);
    expect(await house.query('select * from console_logins where expires_at < now()')).toEqual([]);
  });
});

describe('an attack', () => {
  it.each(sessionAttacks)('changes nothing: $name', async ({ run, status, code }) => {
    const [victim, other, auditor, stranger] = [newBrowser(), newBrowser(), newBrowser(), newBrowser()];
    await victim.logIn(house.apiKey);
    await other.logIn(house.apiKey);
    await auditor.logIn((auditorKey ??= (await newKey('admin:read', 'requests:read')).key));
    const before = await house.query('select version from rules where id = $1', [rule.id]);
    const answer = await run({ victim, other, auditor, stranger, apiKey: house.apiKey, rule: rulePath() });
    expect([answer.status, (answer.body as Problem).code]).toEqual([status, code]);
    expect(await house.query('select version from rules where id = $1', [rule.id])).toEqual(before);
    expect(await statusOf(victim)).toBe(200);
    expect(stranger.cookies.size).toBe(0);
  });
  let auditorKey: string | undefined;

  it('by trying keys is slowed down, and keeps nobody with a right one out', async () => {
    const guessing = await house.startService({ ASSENT_TRUSTED_PROXIES: ['127.0.0.0/8'] });
    const [browser, neighbour] = [newBrowser(guessing.url!), newBrowser(guessing.url!)];
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const answers = [];
    for (let n = 0; n < 12; n++) answers.push(await browser.logIn(`assent_${'A'.repeat(43)}`, from('192.0.2.7')));
    expect(answers.slice(0, 10).map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 401));
    const last = answers.at(-1)!;
    expect([last.status, last.body.code]).toEqual([429, 'too_many_calls']);
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
    expect(last.headers['ratelimit-policy']).toBe('"logins";q=10;w=100');
    expect(answers[0]!.headers['ratelimit']).toBe('"logins";r=9');
    expect(last.headers['ratelimit']).toMatch(/^"logins";r=0;t=\d+$/);
    expect((await neighbour.logIn('assent_wrong', from('192.0.2.8'))).status).toBe(401);
    expect((await browser.logIn(house.apiKey, from('192.0.2.7'))).status).toBe(200);
  });

  it.each(['login', 'callback'])('finds no login where no provider is configured: %s', async (name) => {
    expect((await newBrowser().call('GET', `/console/api/${name}?code=a&state=b`)).status).toBeGreaterThanOrEqual(400);
  });

  it.each(strangeReturnAddresses)('leads no login elsewhere: %j', async (address) => {
    const query = `returnTo=${encodeURIComponent(address)}`;
    const answer = await newBrowser().call('GET', `/console/api/login?${query}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_parameter']);
  });
});

describe('the open console', () => {
  const opened = async (config: object = {}) =>
    newBrowser((await house.startService({ ASSENT_CONSOLE_OPEN: true, ...config })).url!);

  it('lets in whoever sits in front of the machine, as an administrator, and says how', async () => {
    const browser = await opened();
    expect((await browser.session()).body).toMatchObject({ user: { role: 'admin' }, via: 'open' });
    expect((await browser.call('PATCH', rulePath(), { name: `Openly ${randomUUID()}` })).status).toBe(200);
    const elsewhere = newBrowser();
    elsewhere.cookies.set(cookieName, browser.cookies.get(cookieName)!);
    expect([(await elsewhere.session()).status, await statusOf(elsewhere)]).toEqual([401, 401]);
  });

  it.each<readonly [string, object, Record<string, string>]>([
    ['under the name of another host, which leads here', {}, { host: 'attacker.example' }],
    ['under a name that begins like ours', {}, { host: '127.0.0.1.attacker.example' }],
    ['through a proxy', {}, { 'x-forwarded-for': '192.0.2.1' }],
    ['from a page of another site', {}, { 'sec-fetch-site': 'cross-site' }],
    ['at an address beyond this machine', { ASSENT_PUBLIC_URL: 'https://assent.example' }, {}],
    ['when it is not open', { ASSENT_CONSOLE_OPEN: false }, {}],
  ])('lets nobody in %s', async (_, config, headers) => {
    const browser = await opened(config);
    expect((await browser.session(headers)).status).toBeGreaterThanOrEqual(401);
    expect(browser.cookies.size).toBe(0);
  });

  it('needs its cookie for every call: the API is as closed as ever', async () => {
    const browser = await opened();
    expect(await statusOf(browser)).toBe(401);
  });
});

describe('the audit log', () => {
  it('names who came, what they did and who went', async () => {
    const browser = newBrowser((await house.startService({ ASSENT_CONSOLE_OPEN: true })).url!);
    await browser.session();
    await browser.call('PATCH', rulePath(), { name: `Named ${randomUUID()}` });
    const { body: asked } = await browser.call<{ id: string }>('POST', '/v1/authorization-requests', {
      rule: rule.id,
      attributes: { email: 'alice@example.com' },
    });
    expect((await browser.call('POST', `/v1/authorization-requests/${asked.id}/cancel`)).status).toBe(200);
    const { body: timeline } = await browser.call<Timeline>('GET', `/v1/authorization-requests/${asked.id}/timeline`);
    expect(timeline.data.at(-1)).toMatchObject({ type: 'cancelled', detail: { by: 'user:Open console' } });
    await browser.call('DELETE', '/console/api/session');
    await sealWhole(house.database, (text) => house.query(text));
    const { body: log } = await house.admin.call<Page<AuditEvent>>('GET', '/v1/audit-events?actor=user&limit=20');
    const user = { type: 'user', id: null, name: 'Open console' };
    for (const action of [
      'console-session.opened',
      'rule.updated',
      'authorization-request.cancelled',
      'console-session.closed',
    ]) {
      expect(log.data).toContainEqual(expect.objectContaining({ action, actor: user }));
    }
  });
});
