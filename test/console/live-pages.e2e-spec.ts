import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '#app/sandbox';
import type { AuthorizationRequestDocument, RejectionHandler, Rule, TokenProvider } from '#lib/contracts';
import { sandboxConsoleClient } from '../../apps/sandbox/src/clients.js';
import { AssentClient } from '../support/assent-client.js';
import {
  describeWithBrowser,
  findAccessibilityProblems,
  launchChromium,
  openWatchedPage,
  type Browser,
  type Page,
  type WatchedPage,
} from '../support/chromium.js';
import { prepareComposition, type Composition } from '../support/composition.js';
import { cloneWithinThisRealm } from '../support/one-realm.js';
import { freeConsecutivePorts } from '../support/rabbitmq-ports.js';
import { SandboxPhone } from '../support/sandbox-phone.js';
import { startWebhookSink, type WebhookSink } from '../support/webhook-sink.js';
import { settled } from './console-house.js';

const hostile = '<img src=x onerror="globalThis.ran=1"><script>globalThis.ran=1</script>';
const alice = 'alice@example.com';
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
  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
  const said = (words: string | RegExp) => page.getByText(words).first().waitFor();
  const timeline = () => page.getByRole('list', { name: 'Timeline' });
  const cleanToEverybody = async (): Promise<void> => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect([colorScheme, await findAccessibilityProblems(page)]).toEqual([colorScheme, []]);
    }
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
      await cleanToEverybody();
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
      await cleanToEverybody();
      // It comes by itself.
      await ask({ bindingMessage: 'Asked meanwhile' });
      await rows.getByText('Asked meanwhile').waitFor();

      await go(`/transactions/${denied}`);
      await timeline().getByText('Decision recorded').waitFor();
      await timeline()
        .getByText(/after .*s/)
        .first()
        .waitFor();
      await button('JSON').click();
      await page.getByRole('menuitem', { name: 'Show' }).click();
      const json = await page.getByRole('region', { name: 'the transaction as JSON' }).textContent();
      expect(JSON.parse(json!)).toMatchObject({ id: denied, status: 'denied' });
      expect(await page.evaluate('globalThis.ran')).toBeUndefined();
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
      await page.getByLabel('URL').fill(`${sink.url}/hook`);
      await button('Save').click();
      const secret = page.getByRole('dialog', { name: 'The secret of this endpoint' });
      await secret.getByText(/^whsec_/).waitFor();
      await cleanToEverybody();
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
    },
    limitMs,
  );

  it(
    'shows how it goes',
    async () => {
      await go('/overview?window=1h');
      await page.getByRole('img', { name: /Outcomes: 0 approved, 1 denied/ }).waitFor();
      await said('First steps');
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
});
