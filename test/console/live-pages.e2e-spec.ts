import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '#app/sandbox';
import type { AuthorizationRequestDocument, RejectionHandler, Rule, TokenProvider } from '#lib/contracts';
import { sandboxConsoleClient } from '../../apps/sandbox/src/clients.js';
import { AssentClient } from '../support/assent-client.js';
import {
  describeWithBrowser,
  launchChromium,
  openWatchedPage,
  type Browser,
  type Locator,
  type Page,
  type WatchedPage,
} from '../support/chromium.js';
import { prepareComposition, type Composition } from '../support/composition.js';
import { cloneWithinThisRealm } from '../support/one-realm.js';
import { freeConsecutivePorts } from '../support/rabbitmq-ports.js';
import { SandboxPhone } from '../support/sandbox-phone.js';
import { startWebhookSink, type WebhookSink } from '../support/webhook-sink.js';
import { settled } from './console-house.js';
import { Visitor } from './visitor.js';

const hostile = '<img src=x onerror="globalThis.ran=1"><script>globalThis.ran=1</script>';
const alice = 'alice@example.com';
const bob = 'bob@example.com';
const limitMs = 120_000;

/** The pages that show what happens, on a whole Assent with a provider, a phone and people who log in. */
describeWithBrowser('what happens, in the console', () => {
  let composition: Composition;
  let sandbox: Sandbox;
  let assent: AssentClient;
  let phone: SandboxPhone;
  let sink: WebhookSink;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;
  let visitor: Visitor;
  let rule: Rule;
  let denied: string;

  beforeAll(async () => {
    cloneWithinThisRealm();
    const port = await freeConsecutivePorts(2);
    composition = await prepareComposition('standalone', {
      env: {
        ASSENT_CONSOLE_OPEN: 'false',
        ASSENT_CONSOLE_ISSUER: `http://127.0.0.1:${port}`,
        ASSENT_CONSOLE_CLIENT_ID: sandboxConsoleClient.clientId,
        ASSENT_CONSOLE_CLIENT_SECRET: sandboxConsoleClient.clientSecret,
      },
    });
    [sandbox, sink, browser] = await Promise.all([
      startSandbox({ port, assentUrl: composition.url, assentApiKey: null, intervalSeconds: 1 }),
      startWebhookSink(),
      launchChromium(),
      composition.start(),
    ]);
    assent = new AssentClient(composition.url, composition.apiKey);
    phone = new SandboxPhone(sandbox.url);
    const provider = await assent.create<TokenProvider>('token-providers', { name: 'Sandbox', issuer: sandbox.issuer });
    const handler = await assent.create<RejectionHandler>('rejection-handlers', {
      name: 'Payment denied',
      type: 'error-template',
      status: 403,
      contentType: 'application/json',
      template: '{"outcome":"{{outcome}}","message":"{{bindingMessage}}"}',
    });
    const { clientId, clientSecret } = sandbox.clients.secretBasic;
    rule = await assent.create<Rule>('rules', {
      name: 'Approve a payment',
      type: 'one-time-authorization',
      tokenProviderId: provider.id,
      clientId,
      clientCredentials: { type: 'secret', clientSecret },
      loginHintAttribute: 'email',
      bindingMessage: 'Pay {{amount}}',
      denyRejectionHandlerId: handler.id,
    });
    watched = await openWatchedPage(browser, { width: 1280, height: 900 });
    ({ page } = watched);
    visitor = new Visitor(page);
  }, limitMs);
  afterEach(() => {
    expect(watched.complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await composition?.stop();
    await sandbox?.stop();
    await sink?.stop();
  }, limitMs);

  const go = async (path: string): Promise<void> => {
    await page.goto(`${composition.url}/console${path}`);
    await settled(page);
  };
  const button = (name: string | RegExp) => visitor.button(name);
  const said = (words: string | RegExp) => visitor.said(words);
  const timeline = () => page.getByRole('list', { name: 'Timeline' });
  const isFineForEverybody = async (): Promise<void> => {
    await visitor.findsNothingWrong();
    await visitor.findsItNarrowEnough();
  };
  const logIn = async (target: Page, account: string): Promise<void> => {
    await target.getByRole('link', { name: 'Log in with the token provider' }).click();
    await target.getByRole('link', { name: account }).click();
  };
  const ask = async (over: object = {}): Promise<AuthorizationRequestDocument> =>
    (await assent.submit({ rule: rule.id, attributes: { email: alice, amount: '25 EUR' }, ...over })).body;

  it(
    'lets people log in at the provider, and come to the page that they wanted',
    async () => {
      await page.goto(`${composition.url}/console/transactions?status=denied`);
      await page.getByRole('heading', { name: 'Log in to Assent' }).waitFor();
      await isFineForEverybody();
      await logIn(page, 'Alice');
      await page.getByRole('heading', { name: 'Transactions' }).waitFor();
      expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/console/transactions?status=denied');
      await page.getByRole('button', { name: 'alice, admin' }).waitFor();
      await page.goto(`${composition.url}/console/login?problem=no_role`);
      await page.getByRole('heading', { name: 'Overview' }).waitFor();
    },
    limitMs,
  );

  it(
    'shows what a rule would ask, asks it, and tells what the person says as it happens',
    async () => {
      await go(`/test-rule/${rule.id}`);
      await page.getByLabel('Value of email').fill(alice);
      await page.getByLabel('Value of amount').fill('40 EUR');
      await button('Preview').click();
      const shown = page.getByRole('region', { name: 'the request', exact: true });
      await shown.waitFor();
      const text = (await shown.textContent())!;
      expect(text).toContain(`POST ${sandbox.url}/backchannel`);
      expect(text).toContain('binding_message=Pay 40 EUR');
      expect(text).toContain('authorization: Basic (secret)');
      expect(text).not.toContain(sandbox.clients.secretBasic.clientSecret);
      expect(await phone.waiting(alice)).toEqual([]);
      await isFineForEverybody();

      await button('Send').click();
      await timeline().getByText('Waiting for the person').waitFor();
      const prompt = await phone.next(alice);
      expect(prompt.bindingMessage).toBe('Pay 40 EUR');
      await phone.answerWhere(alice, ({ id }) => id === prompt.id, 'deny');
      await timeline().getByText('Denied', { exact: true }).waitFor();
      const response = page.getByRole('region', { name: 'the response' });
      await response.waitFor();
      expect(await response.textContent()).toContain('HTTP/1.1 403');
      expect(await response.textContent()).toContain('{"outcome":"denied","message":"Pay 40 EUR"}');
      denied = new URL(page.url()).searchParams.get('sent')!;
    },
    limitMs,
  );

  it(
    'lists transactions by filters that are links, and shows all that is on record of one',
    async () => {
      await ask({ bindingMessage: hostile });
      await go('/transactions?status=denied');
      const rows = page.getByRole('table', { name: 'Transactions' }).getByRole('row');
      await rows.getByText('Pay 40 EUR').waitFor();
      expect(await rows.count()).toBe(2);
      await go('/transactions');
      await rows.getByText(hostile).waitFor();
      await isFineForEverybody();
      // It comes by itself.
      await ask({ bindingMessage: 'Asked meanwhile' });
      await rows.getByText('Asked meanwhile').waitFor();

      await go(`/transactions/${denied}`);
      await timeline().getByText('Decision recorded').waitFor();
      await timeline()
        .getByText(/after .*s/)
        .first()
        .waitFor();
      await isFineForEverybody();
      await button('JSON').click();
      const file = await visitor.downloads(() => page.getByRole('menuitem', { name: 'Download' }).click());
      expect(file.name).toBe(`transaction-${denied}.json`);
      expect(JSON.parse(file.text)).toMatchObject({ id: denied, timeline: expect.arrayContaining([]) });
      await button('JSON').click();
      await page.getByRole('menuitem', { name: 'Show' }).click();
      const json = await page.getByRole('region', { name: 'the transaction as JSON' }).textContent();
      expect(JSON.parse(json!)).toMatchObject({ id: denied, status: 'denied' });
      expect(await page.evaluate('globalThis.ran')).toBeUndefined();
    },
    limitMs,
  );

  it(
    'withdraws what nobody has answered yet, after asking',
    async () => {
      const { id } = await ask({ bindingMessage: 'To be withdrawn' });
      await go(`/transactions/${id}`);
      await timeline().getByText('Waiting for the person').waitFor();
      await button('Cancel the request').click();
      const asked = visitor.dialog('Cancel this request?');
      await asked.waitFor();
      await isFineForEverybody();
      await asked.getByRole('button', { name: 'Cancel the request' }).click();
      await timeline().getByText('Cancelled', { exact: true }).waitFor();
      expect(await button('Cancel the request').count()).toBe(0);
      expect(
        (await assent.call<AuthorizationRequestDocument>('GET', `/v1/authorization-requests/${id}`)).body.status,
      ).toBe('cancelled');
    },
    limitMs,
  );

  it(
    'has decisions sent, tests and repeats it, and shows a secret once',
    async () => {
      await go('/settings/webhooks');
      await button('Add Webhook Endpoint').click();
      await button('Save').click();
      await said('Give an absolute https address');
      await isFineForEverybody();
      await page.getByLabel('URL').fill(`${sink.url}/hook`);
      await button('Save').click();
      const secret = page.getByRole('dialog', { name: 'The secret of this endpoint' });
      await secret.getByText(/^whsec_/).waitFor();
      await isFineForEverybody();
      await secret.getByLabel('I have put it where it belongs').check();
      await secret.getByRole('button', { name: 'Done' }).click();
      await page.getByRole('link', { name: `${sink.url}/hook` }).click();
      await button('Send a test').click();
      await sink.next('/hook');
      const deliveries = page.getByRole('table', { name: 'Deliveries' });
      await deliveries.getByText('Delivered').waitFor();
      await button('Send this test.ping again').click();
      await sink.next('/hook');
      await deliveries.getByText('2, last: HTTP 204').waitFor();
      await isFineForEverybody();

      await button('Replay a range').click();
      const range = visitor.dialog('Replay a range');
      await range.getByLabel('Since').fill('2020-01-01T00:00');
      await range.getByLabel('What').click();
      await page.getByRole('option', { name: 'What had arrived' }).click();
      await isFineForEverybody();
      await range.getByRole('button', { name: 'Replay' }).click();
      await sink.next('/hook');
      await deliveries.getByText('3, last: HTTP 204').waitFor();
    },
    limitMs,
  );

  it(
    'disables an endpoint and enables it again, and replaces its secret with an overlap',
    async () => {
      await button('Edit').click();
      const edit = visitor.dialog('Edit the webhook endpoint');
      await edit.getByLabel('Enabled').uncheck();
      await isFineForEverybody();
      await edit.getByRole('button', { name: 'Save' }).click();
      await said('This endpoint is told nothing.');
      expect(await button('Send a test').isDisabled()).toBe(true);
      await button('Enable it again').click();
      await page.getByText('This endpoint is told nothing.').waitFor({ state: 'detached' });

      await button('Rotate the secret').click();
      const rotate = visitor.dialog('Rotate the secret');
      await rotate.waitFor();
      await isFineForEverybody();
      await rotate.getByRole('button', { name: 'Rotate' }).click();
      const secret = visitor.dialog('The secret of this endpoint');
      await secret.getByText(/^whsec_/).waitFor();
      await secret.getByLabel('I have put it where it belongs').check();
      await secret.getByRole('button', { name: 'Done' }).click();
      await said('Signed with the old secret as well until');
      await button('Send a test').click();
      const { headers } = await sink.next('/hook');
      const signatures = String(headers['webhook-signature']).split(' ');
      expect(signatures.filter((signature) => signature.startsWith('v1,'))).toHaveLength(2);
    },
    limitMs,
  );

  it(
    'tells who has changed what, by filters and page by page',
    async () => {
      await assent.call('PATCH', `/v1/rules/${rule.id}`, { bindingMessage: 'Please pay {{amount}}' });
      const handlers = Array.from({ length: 51 }, (_, number) =>
        assent.create('rejection-handlers', { name: `H${number}`, type: 'redirect', status: 302, url: '/away' }),
      );
      await Promise.all(handlers);
      await go('/settings/audit-log?action=rule.updated');
      const events = page.getByRole('table', { name: 'Audit events' }).getByRole('row');
      await events.nth(1).getByText('1 changed').click();
      await events.nth(1).getByText('Please pay {{amount}}').waitFor();
      await events.nth(1).getByText('Pay {{amount}}', { exact: true }).waitFor();
      expect(await events.count()).toBe(2);
      await isFineForEverybody();
      await visitor.field('What').fill('');
      await visitor.field('On').fill('rejection-handler');
      await page.getByRole('link', { name: 'Older' }).click();
      await page.getByRole('link', { name: 'Newest' }).waitFor();
      await page.getByRole('link', { name: 'Payment denied' }).waitFor();
      expect(await events.count()).toBeLessThan(51);
      await page.getByRole('link', { name: 'Newest' }).click();
      await page.getByRole('link', { name: 'Older' }).waitFor();
      await page.getByRole('link', { name: 'Payment denied' }).waitFor({ state: 'detached' });
      expect(await events.count()).toBe(51);
    },
    limitMs,
  );

  it(
    'takes somebody without a mouse from a new rule to the answer of its rejection handler',
    async () => {
      const { keyboard } = page;
      const choose = async (name: string, words: string): Promise<void> => {
        await visitor.tabTo(name);
        await keyboard.type(words);
        await keyboard.press('ArrowDown');
        await keyboard.press('Enter');
      };
      const fill = async (name: string, words: string): Promise<void> => {
        await visitor.tabTo(name);
        await keyboard.type(words);
      };
      const press = async (name: string): Promise<void> => {
        await visitor.tabTo(name);
        await keyboard.press('Enter');
      };
      await go('/access/rules');
      await press('Add Rule');
      await page.getByRole('heading', { name: 'Add Rule' }).waitFor();
      await fill('Name', 'Delete an account');
      await choose('Token Provider', 'Sandbox');
      await fill('Client ID', sandbox.clients.privateKeyJwt.clientId);
      await visitor.tabTo('Secret');
      await keyboard.press('ArrowDown');
      await keyboard.press('ArrowDown');
      await fill('Login Hint Request Attribute', 'email');
      await press('New Value');
      await visitor.comesTo('Scope 1');
      await keyboard.type('profile');
      await press('Show Advanced');
      await fill('Requested Expiry (s)', '120');
      await choose('Timeout Rejection Handler', 'Default Web');
      await choose('Deny Rejection Handler', 'Payment denied');
      await press('Save');
      await page.getByRole('link', { name: 'Delete an account' }).waitFor();

      await press('Actions for Delete an account');
      await visitor.comesTo('Edit');
      await keyboard.press('ArrowDown');
      await keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Test Rule' }).waitFor();
      await fill('Value of email', alice);
      await press('Send');
      await timeline().getByText('Waiting for the person').waitFor();
      await phone.answerWhere(alice, ({ clientId }) => clientId === sandbox.clients.privateKeyJwt.clientId, 'deny');
      const response = page.getByRole('region', { name: 'the response' });
      await response.waitFor();
      expect(await response.textContent()).toContain('{"outcome":"denied","message":""}');

      const made = (await assent.call<{ data: Rule[] }>('GET', '/v1/rules')).body.data.find(
        ({ name }) => name === 'Delete an account',
      );
      expect(made).toMatchObject({
        clientCredentials: { type: 'private-key-jwt' },
        scopes: ['profile'],
        requestedExpirySeconds: 120,
        timeoutRejectionHandlerId: expect.any(String),
        denyRejectionHandlerId: rule.denyRejectionHandlerId,
      });
    },
    limitMs,
  );

  it(
    'asks for the login in another window when the session ends, and keeps what was typed',
    async () => {
      await go(`/test-rule/${rule.id}`);
      await page.getByLabel('Value of amount').fill('typed before');
      await page.context().clearCookies();
      await button('Preview').click();
      const again = visitor.dialog('Your session has ended');
      await again.waitFor();
      expect(await page.getByText('Send an API key').count()).toBe(0);
      const [opened] = await Promise.all([
        page.context().waitForEvent('page'),
        again.getByRole('link', { name: 'Log in with the token provider' }).click(),
      ]);
      await opened.getByRole('link', { name: 'Alice' }).click();
      await opened.getByRole('heading', { name: 'You are logged in' }).waitFor();
      await opened.close();
      await again.waitFor({ state: 'detached' });
      expect(await page.getByLabel('Value of amount').inputValue()).toBe('typed before');
    },
    limitMs,
  );

  it(
    'shows how it goes',
    async () => {
      await go('/overview?window=1h');
      await page.getByRole('img', { name: /Outcomes: 0 approved, 2 denied/ }).waitFor();
      await said('First steps');
      await isFineForEverybody();
    },
    limitMs,
  );

  it(
    'lets an auditor look, and offers nothing that would be refused',
    async () => {
      const other = await openWatchedPage(browser, { width: 1280, height: 900 });
      await other.page.goto(`${composition.url}/console/test-rule/${rule.id}`);
      await logIn(other.page, 'Bob');
      await other.page.getByRole('button', { name: 'bob, auditor' }).waitFor();
      await other.page.getByLabel('Value of email').fill(alice);
      await other.page.getByRole('button', { name: 'Preview' }).click();
      await other.page.getByRole('region', { name: 'the request', exact: true }).waitFor();
      expect(await other.page.getByRole('button', { name: 'Send' }).count()).toBe(0);
      expect(other.complaints).toEqual([]);
      await other.close();
    },
    limitMs,
  );

  it(
    'shows what is wrong at the attribute, and no request but the one that stands there',
    async () => {
      await go(`/test-rule/${rule.id}`);
      const value = (name: string) => page.getByLabel(`Value of ${name}`);
      await button('Send').click();
      await said(/takes the login hint from the attribute email/);
      expect(await value('email').getAttribute('aria-invalid')).toBe('true');
      await visitor.comesTo('Value of email');
      await isFineForEverybody();
      const top = async (found: Locator): Promise<number> => (await found.boundingBox())!.y;
      expect(Math.abs((await top(button('Remove attribute 1'))) - (await top(value('email'))))).toBeLessThan(8);
      await value('email').fill(alice);
      expect(await page.getByText(/takes the login hint from/).count()).toBe(0);
      await value('amount').fill('1 EUR');
      await button('Preview').click();
      const shown = page.getByRole('region', { name: 'the request', exact: true });
      await shown.getByText(/pay 1 EUR/i).waitFor();
      await value('amount').fill('2 EUR');
      await shown.waitFor({ state: 'detached' });
    },
    limitMs,
  );

  it(
    'asks a person once, for whoever presses twice or again because no answer came',
    async () => {
      await go(`/test-rule/${rule.id}`);
      await page.getByLabel('Value of email').fill(bob);
      await page.getByLabel('Value of amount').fill('Once');
      await page.route('**/v1/authorization-requests', async (route) => {
        await route.fetch();
        await route.abort();
      });
      await button('Send').click();
      await said('Assent does not answer');
      await page.unrouteAll();
      await button('Send').evaluate((pressed: { click(): void }) => {
        pressed.click();
        pressed.click();
      });
      await timeline().getByText('Waiting for the person').waitFor();
      const { data } = (
        await assent.call<{ data: AuthorizationRequestDocument[] }>('GET', '/v1/authorization-requests')
      ).body;
      expect(data.filter(({ bindingMessage }) => bindingMessage?.endsWith('Once'))).toHaveLength(1);
      await phone.answerWhere(bob, ({ bindingMessage }) => bindingMessage?.endsWith('Once') === true, 'deny');
      await timeline().getByText('Denied', { exact: true }).waitFor();
      // That nobody answered is what was to be seen.
      expect(watched.complaints.splice(0)).toEqual([expect.stringMatching(/ERR_FAILED/)]);
    },
    limitMs,
  );

  it(
    'follows a transaction where no events arrive, and until its approval is used',
    async () => {
      await page.route('**/events', (route) => route.fulfill({ status: 204 }));
      const { id } = await ask({ attributes: { email: bob }, bindingMessage: 'Followed to the end' });
      await go(`/transactions/${id}`);
      const state = (words: string) => page.locator('header').getByText(words, { exact: true });
      await state('Pending').waitFor();
      await phone.answerWhere(bob, ({ bindingMessage }) => bindingMessage === 'Followed to the end', 'approve');
      await state('Approved').waitFor();
      await timeline().getByText('Decision recorded').waitFor();
      expect(await timeline().getByText('Waiting for the person').count()).toBe(0);
      await assent.call('POST', `/v1/authorization-requests/${id}/consume`);
      await timeline().getByText('Approval used').waitFor();
      await page.unrouteAll();
    },
    limitMs,
  );
});
