import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import {
  describeWithBrowser,
  findAccessibilityProblems,
  launchChromium,
  openWatchedPage,
  overflowsSideways,
  type Browser,
  type Page,
  type WatchedPage,
} from '../../../test/support/chromium.js';
import { freeConsecutivePorts } from '../../../test/support/rabbitmq-ports.js';
import { CIBA_GRANT_TYPE } from './clients.js';
import { startSandbox, type Sandbox } from './sandbox.module.js';

type Json = Record<string, unknown>;

const PHONE = { width: 390, height: 844 };
describeWithBrowser('the phone page', () => {
  let sandbox: Sandbox;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;

  beforeAll(async () => {
    const port = await freeConsecutivePorts(2);
    sandbox = await startSandbox({ port, assentUrl: null, assentApiKey: null, intervalSeconds: 0 });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
    await sandbox.stop();
  });

  beforeEach(async () => {
    watched = await openWatchedPage(browser, PHONE);
    page = watched.page;
  });

  afterEach(async () => {
    const { complaints } = watched;
    await watched.close();
    await emptyThePhones();
    expect(complaints).toEqual([]);
  });

  async function post(path: string, params: Record<string, string>): Promise<Json> {
    const { clientId, clientSecret } = sandbox.clients.secretPost;
    const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, ...params });
    return (await (await fetch(`${sandbox.url}${path}`, { method: 'POST', body })).json()) as Json;
  }

  const ask = (bindingMessage: string, more: Record<string, string> = {}) =>
    post('/backchannel', {
      scope: 'openid payments',
      login_hint: 'alice@example.com',
      binding_message: bindingMessage,
      ...more,
    });
  const poll = ({ auth_req_id: id }: Json) => post('/token', { grant_type: CIBA_GRANT_TYPE, auth_req_id: String(id) });
  const card = (text: string) => page.locator('.card', { hasText: text });

  async function listed(loginHint: string): Promise<{ id: string }[]> {
    return (await (await fetch(`${sandbox.phoneUrl}/requests?loginHint=${loginHint}`)).json()) as { id: string }[];
  }

  async function emptyThePhones(): Promise<void> {
    for (const loginHint of ['alice@example.com', 'bob@example.com']) {
      for (const { id } of await listed(loginHint)) {
        await fetch(`${sandbox.phoneUrl}/requests/${id}/deny`, { method: 'POST' });
      }
    }
  }

  it('shows a new request by itself: who asks, for what, with which consequences, for how long', async () => {
    await page.goto(`${sandbox.phoneUrl}/alice`);
    await page.getByText('Nothing to decide').waitFor();
    await ask('Pay 12 EUR to Bob');
    const shown = card('Pay 12 EUR to Bob');
    await shown.waitFor();
    expect(await page.getByText('Nothing to decide').isVisible()).toBe(false);
    expect(await shown.locator('h3').first().textContent()).toBe('Alder & Finch Returns');
    expect(await shown.locator('.allows li').allTextContents()).toEqual(['know that it is you', 'make this payment']);
    expect(await shown.getByRole('timer').textContent()).toMatch(/^(2:00|1:5\d)$/);
    expect(await page.title()).toBe('(1) Alice’s phone');
  });

  it('approves: the person sees it confirmed, the client gets tokens', async () => {
    await page.goto(`${sandbox.phoneUrl}/alice`);
    const started = await ask('Pay 20 EUR to Bob');
    await card('Pay 20 EUR').getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'Approved' }).waitFor();
    expect(await poll(started)).toMatchObject({ token_type: 'Bearer' });
    expect(await findAccessibilityProblems(page)).toEqual([]);

    await page.getByRole('button', { name: 'Done' }).click();
    const [latest] = await page.locator('#recent-list li').allInnerTexts();
    expect(latest).toMatch(/Pay 20 EUR to Bob[^]*Approved/);
  });

  it('denies: the person sees it confirmed, the client is told', async () => {
    await page.goto(`${sandbox.phoneUrl}/alice`);
    const started = await ask('Delete the account');
    await card('Delete the account').getByRole('button', { name: 'Deny' }).click();
    await page.getByRole('heading', { name: 'Denied' }).waitFor();
    expect(await poll(started)).toMatchObject({ error: 'access_denied' });
    expect(await findAccessibilityProblems(page)).toEqual([]);
  });

  it('works by keyboard alone, and never loses the focus', async () => {
    await page.goto(`${sandbox.phoneUrl}/alice`);
    const started = await ask('By keyboard');
    await card('By keyboard').waitFor();
    const focused = () => page.evaluate<string>('document.activeElement.textContent');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Deny');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Approve');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Approved' }).waitFor();
    expect(await focused()).toBe('Done');
    await page.keyboard.press('Enter');
    await card('By keyboard').waitFor({ state: 'detached' });
    expect(await focused()).toBe('Nothing to decide');
    expect(await poll(started)).toMatchObject({ token_type: 'Bearer' });
  });

  it('keeps several requests apart', async () => {
    await page.goto(`${sandbox.phoneUrl}/alice`);
    const [first, second] = [await ask('The first'), await ask('The second')];
    await ask('Not for Alice', { login_hint: 'bob@example.com' });
    await page.getByText('2 requests are waiting for you').waitFor();
    await card('The second').getByRole('button', { name: 'Deny' }).click();
    await card('The first').getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'Approved' }).waitFor();
    await page.getByRole('heading', { name: 'Denied' }).waitFor();
    expect(await poll(first)).toMatchObject({ token_type: 'Bearer' });
    expect(await poll(second)).toMatchObject({ error: 'access_denied' });
  });

  it('says so when the time is over, and when somebody answers elsewhere', async () => {
    await page.goto(`${sandbox.phoneUrl}/alice`);
    await ask('Quick', { requested_expiry: '1' });
    await page.getByRole('heading', { name: 'Too late' }).waitFor();
    await page.getByRole('button', { name: 'Done' }).click();

    await ask('Elsewhere');
    await card('Elsewhere').waitFor();
    await emptyThePhones();
    await page.getByRole('heading', { name: 'Denied' }).waitFor();
  });

  it('treats what clients send as text', async () => {
    await page.goto(`${sandbox.phoneUrl}/alice`);
    const hostile = '<img src=x onerror=alert(1)> <b>Pay</b> {{name}}';
    await ask(hostile, { scope: 'openid <script>' });
    await page.locator('.card').waitFor();
    expect(await page.locator('.message').textContent()).toBe(hostile);
  });

  it.each([
    [320, 'dark'],
    [390, 'light'],
    [390, 'dark'],
    [1280, 'light'],
  ] as const)('fits a window of %d px in %s colours, and has no accessibility problem', async (width, colorScheme) => {
    const sized = await openWatchedPage(browser, { width, height: 844, colorScheme });
    for (const path of ['/', '/phone', '/phone/bob', '/phone/alice']) {
      if (path === '/phone/alice') await ask(`${'Donaudampfschifffahrtsgesellschaft'.repeat(4)} and more`);
      await sized.page.goto(`${sandbox.url}${path}`);
      if (path === '/phone/alice') await sized.page.locator('.card').first().waitFor();
      if (path === '/phone/bob') await sized.page.getByText('Nothing to decide').waitFor();
      expect([path, await findAccessibilityProblems(sized.page)]).toEqual([path, []]);
      expect([path, await overflowsSideways(sized.page)]).toEqual([path, false]);
    }
    await sized.close();
    expect(sized.complaints).toEqual([]);
  });

  it('lets a person choose the phone', async () => {
    await page.goto(sandbox.phoneUrl);
    await page.getByRole('link', { name: 'Bob' }).click();
    await page.getByRole('heading', { name: 'Bob’s phone' }).waitFor();
    await page.getByText('Live').waitFor();
  });

  it('is watched by a test that would notice: a foreign script is refused and reported', async () => {
    await page.goto(`${sandbox.phoneUrl}/alice`);
    await page.evaluate(() => {
      const { document } = globalThis as unknown as {
        document: { body: { insertAdjacentHTML(a: string, b: string): void } };
      };
      document.body.insertAdjacentHTML(
        'beforeend',
        '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="><button></button>',
      );
    });
    expect(await findAccessibilityProblems(page)).toEqual(
      expect.arrayContaining([expect.stringContaining('button-name'), expect.stringContaining('image-alt')]),
    );
    const noticed = watched.complaints.splice(0);
    expect(noticed).toEqual(expect.arrayContaining([expect.stringMatching(/^policy: img-src/)]));
  });
});
