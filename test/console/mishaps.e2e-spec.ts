import type { ApiClient, KeyPair, Rule, TokenProvider, WebhookEndpoint } from '#lib/contracts';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { describeWithBrowser, type Page, type Route, type WatchedPage } from '../support/chromium.js';
import { ruleBody } from '../support/rules-house.js';
import { ConsoleHouse } from './console-house.js';
import { Visitor } from './visitor.js';

/** What goes wrong between people, networks and services, and what the console makes of it. */
describeWithBrowser('mishaps in the console', () => {
  let house: ConsoleHouse;
  let watched: WatchedPage;
  let page: Page;
  let visitor: Visitor;
  let provider: TokenProvider;
  /** The calls that the page has made, `GET /v1/rules` for example. */
  const calls: string[] = [];
  beforeAll(async () => {
    house = await ConsoleHouse.open();
    watched = await house.visit('/access/rules');
    ({ page } = watched);
    visitor = new Visitor(page);
    provider = await api().create<TokenProvider>('token-providers', { name: 'Bank', issuer: 'https://id.example' });
    page.on('request', (request) => calls.push(`${request.method()} ${new URL(request.url()).pathname}`));
  }, 90_000);
  afterEach(async () => {
    await page.unrouteAll();
    expect(watched.complaints.splice(0)).toEqual([]);
  });
  afterAll(() => house?.close(), 60_000);

  const api = () => house.rules.admin;
  const button = (name: string) => visitor.button(name);
  const field = (name: string) => visitor.field(name);
  const madeRule = (name: string, over: object = {}) =>
    api().create<Rule>('rules', ruleBody(provider.id, { name, ...over }));
  /** Presses twice before the page can draw anything. */
  const pressTwice = (name: string, within = page.locator('body')): Promise<void> =>
    within.getByRole('button', { name, exact: true }).evaluate((pressed: { click(): void }) => {
      pressed.click();
      pressed.click();
    });
  /** Has the service answer a call as if it had broken, and tells nobody of what the browser says to that. */
  const breaks = async (path: string): Promise<void> => {
    await page.route(path, (route) => (route.request().method() === 'GET' ? route.fallback() : route.fulfill(broken)));
  };
  const broken = { status: 500, contentType: 'text/html', body: '<h1>Broken</h1>' };
  const forgiveTheBreak = (): void => {
    const others = watched.complaints.filter((complaint) => !/status of 500/.test(complaint));
    watched.complaints.splice(0, watched.complaints.length, ...others);
  };
  const isInSight = (words: string): Promise<boolean> =>
    page
      .getByText(words)
      .first()
      .evaluate((element) => {
        const { document, innerHeight } = globalThis as unknown as {
          document: { elementFromPoint(x: number, y: number): unknown };
          innerHeight: number;
        };
        const { left, top, bottom } = (
          element as unknown as { getBoundingClientRect(): Record<string, number> }
        ).getBoundingClientRect() as { left: number; top: number; bottom: number };
        const seen = document.elementFromPoint(left + 2, (top + bottom) / 2);
        return top >= 0 && bottom <= innerHeight && seen === element;
      });

  it('makes one of it, and deletes it once, for whoever presses twice', async () => {
    await house.go(page, '/access/rejection-handlers/new');
    await field('Name').fill('Pressed twice');
    calls.splice(0);
    await pressTwice('Save');
    await page.getByRole('link', { name: 'Pressed twice' }).click();
    await page.getByRole('heading', { name: 'Pressed twice' }).waitFor();
    await button('Delete').click();
    await pressTwice('Delete the rejection handler', visitor.dialog('Delete this rejection handler?'));
    await page.getByRole('heading', { name: 'Rejection Handlers' }).waitFor();
    await visitor.said('Pressed twice is deleted.');
    const changes = calls
      .filter((one) => /^(POST|DELETE)/.test(one))
      .map((one) => one.split('/').slice(0, 3).join('/'));
    expect(changes).toEqual(['POST /v1/rejection-handlers', 'DELETE /v1/rejection-handlers']);
  }, 60_000);

  it('asks for nothing that was just deleted, and shows no ghost of it to whoever comes back', async () => {
    const { id } = await madeRule('To be gone');
    await house.go(page, '/access/rules');
    await page.getByRole('link', { name: 'To be gone' }).click();
    await page.getByRole('heading', { name: 'To be gone' }).waitFor();
    calls.splice(0);
    await button('Delete').click();
    await visitor.dialog('Delete this rule?').getByRole('button', { name: 'Delete the rule' }).click();
    await page.getByRole('heading', { name: 'Rules', exact: true }).waitFor();
    await page.getByRole('link', { name: 'To be gone' }).waitFor({ state: 'detached' });
    expect(calls.filter((one) => one.endsWith(id))).toEqual([`DELETE /v1/rules/${id}`]);
    await page.goBack();
    await page.getByRole('heading', { name: /^There is no/ }).waitFor();
    expect(await page.getByRole('heading', { name: 'To be gone' }).count()).toBe(0);
  }, 60_000);

  it('keeps what is typed while a save is under way', async () => {
    const { id } = await madeRule('Slowly saved');
    await house.go(page, `/access/rules/${id}`);
    let letGo = (): void => undefined;
    const held = async (route: Route): Promise<void> => {
      if (route.request().method() === 'PUT') await new Promise<void>((resolve) => (letGo = resolve));
      await route.fallback();
    };
    await page.route(`**/v1/rules/${id}`, held, { times: 1 });
    await field('Binding Message').fill('Sent');
    const sent = page.waitForRequest((request) => request.method() === 'PUT');
    await button('Save').click();
    await sent;
    await field('Client ID').fill('typed-meanwhile');
    letGo();
    await visitor.said('Slowly saved is saved as version 2.');
    expect(await field('Client ID').inputValue()).toBe('typed-meanwhile');
    expect(await field('Binding Message').inputValue()).toBe('Sent');
    await visitor.said('Not saved yet');
    await button('Save').click();
    await visitor.said('Slowly saved is saved as version 3.');
    const { body } = await api().call<Rule>('GET', `/v1/rules/${id}`);
    expect(body).toMatchObject({ clientId: 'typed-meanwhile', bindingMessage: 'Sent' });
  }, 60_000);

  it('says of a secret that was replaced that it is set, once it is', async () => {
    const clientCredentials = { type: 'secret', clientSecret: 'the-secret-of-before' };
    const { id } = await madeRule('With a new secret', { clientCredentials });
    await house.go(page, `/access/rules/${id}`);
    await button('Replace Client Secret').click();
    await page.getByLabel('Client Secret').first().fill('the-secret-of-after');
    await button('Save').click();
    await visitor.said('With a new secret is saved as version 2.');
    await visitor.said(/^Set, changed/);
    expect(await button('Keep the old one').count()).toBe(0);
  }, 60_000);

  it('brings into sight what was refused, and forgets it with the dialog', async () => {
    await page.setViewportSize({ width: 1000, height: 500 });
    await house.go(page, '/settings/api-clients');
    await breaks('**/v1/api-clients');
    await button('Add API Client').click();
    const dialog = visitor.dialog('Add an API client');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Shop');
    // Down there is where somebody is who presses the button.
    await dialog.getByLabel('Enabled').scrollIntoViewIfNeeded();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await visitor.said('The answer was 500');
    await expectSoon(() => isInSight('The answer was 500'));
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    await button('Add API Client').click();
    await dialog.waitFor();
    expect(await dialog.getByRole('alert').count()).toBe(0);
    await page.keyboard.press('Escape');

    const { id } = await madeRule('Refused');
    await breaks(`**/v1/rules/${id}`);
    await house.go(page, `/access/rules/${id}`);
    const message = field('Binding Message');
    await message.fill('Far below the head of the page');
    await button('Save').click();
    await visitor.said('The answer was 500');
    await expectSoon(() => isInSight('The answer was 500'));
    await message.fill('');
    await page.setViewportSize({ width: 1280, height: 900 });
    forgiveTheBreak();
  }, 60_000);

  it('tells that a test of a webhook endpoint could not be sent', async () => {
    const { id } = await api().create<WebhookEndpoint>('webhook-endpoints', {
      url: 'https://shop.example/hook',
      events: ['decision.approved'],
    });
    await house.go(page, `/settings/webhooks/${id}`);
    await breaks(`**/v1/webhook-endpoints/${id}/test`);
    await button('Send a test').click();
    await visitor.said('The answer was 500');
    forgiveTheBreak();
  }, 60_000);

  it('reads a file again that was changed since', async () => {
    await house.go(page, '/settings/import-export?tab=apply');
    const chooser = page.locator('input[type="file"]');
    const file = (text: string) => ({ name: 'assent.yaml', mimeType: 'application/yaml', buffer: Buffer.from(text) });
    await chooser.setInputFiles(file('version: 1'));
    await expectSoon(async () => (await field('Configuration (YAML or JSON)').inputValue()) === 'version: 1');
    // A browser tells nothing of a choice that is the same as before.
    expect(await chooser.inputValue()).toBe('');
  }, 60_000);

  it('shows the first tab to whoever comes by an address with another one', async () => {
    await house.go(page, '/settings/import-export?tab=nonsense');
    await page.getByRole('region', { name: 'the configuration' }).waitFor();
  }, 60_000);

  it('shows the whole of long names in its warnings, on the narrowest screen too', async () => {
    const alias = 'z'.repeat(64);
    const generate = { subject: 'CN=soon', validDays: 5 };
    const keyPair = await api().create<KeyPair>('key-pairs', { alias, generate });
    const clientCredentials = { type: 'mutual-tls', keyPairId: keyPair.id };
    await madeRule('W'.repeat(64), { clientCredentials });
    await page.setViewportSize({ width: 320, height: 740 });
    await house.go(page, '/overview');
    await page.getByRole('link', { name: alias }).waitFor();
    expect(await page.evaluate<string[]>(cutOff)).toEqual([]);
    await house.go(page, `/security/key-pairs/${keyPair.id}`);
    await button('Delete').click();
    const asked = visitor.dialog('Delete this key pair?');
    await asked.getByRole('button', { name: 'Delete the key pair' }).click();
    await asked.getByRole('link', { name: 'W'.repeat(64) }).waitFor();
    expect(await page.evaluate<string[]>(cutOff)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width: 1280, height: 900 });
  }, 60_000);

  it('shows both versions where a dialog would save over what somebody else has saved', async () => {
    const { id } = await api().create<ApiClient>('api-clients', { name: 'Contested', scopes: ['requests:read'] });
    await house.go(page, '/settings/api-clients');
    await button('Actions for Contested').click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    const form = visitor.dialog('API client Contested');
    await form.getByRole('textbox', { name: 'Name' }).fill('Mine');
    await form.getByRole('textbox', { name: 'Requests per Minute' }).fill('30');
    await api().call('PATCH', `/v1/api-clients/${id}`, { name: 'Theirs', scopes: ['requests:write'] });
    await form.getByRole('button', { name: 'Save' }).click();
    const conflict = visitor.dialog('Somebody else has changed this API client');
    await conflict.getByText('changed by both').waitFor();
    await visitor.findsNothingWrong();
    await visitor.findsItNarrowEnough();
    await conflict.getByRole('button', { name: 'Back to the form' }).click();
    expect(await form.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('Mine');
    await form.getByRole('button', { name: 'Save' }).click();
    await conflict.getByRole('radiogroup', { name: 'Name: whose' }).getByText('Theirs', { exact: true }).click();
    await conflict.getByRole('button', { name: 'Save over version 2' }).click();
    await visitor.said('Theirs is saved.');
    await conflict.waitFor({ state: 'detached' });
    expect((await api().call<ApiClient>('GET', `/v1/api-clients/${id}`)).body).toMatchObject({
      name: 'Theirs',
      scopes: ['requests:write'],
      requestsPerMinute: 30,
      version: 3,
    });
  }, 60_000);

  it('keeps what is typed about a webhook endpoint that somebody else changes, and shows both versions', async () => {
    const { id } = await api().create<WebhookEndpoint>('webhook-endpoints', {
      url: 'https://shop.example/contested',
      events: ['decision.approved'],
    });
    await house.go(page, `/settings/webhooks/${id}`);
    await button('Edit').click();
    const form = visitor.dialog('Edit the webhook endpoint');
    await form.getByRole('textbox', { name: 'Description' }).fill('Mine');
    await api().call('PATCH', `/v1/webhook-endpoints/${id}`, { events: ['decision.denied'] });
    await form.getByRole('button', { name: 'Save' }).click();
    const conflict = visitor.dialog('Somebody else has changed this webhook endpoint');
    await conflict.getByRole('button', { name: 'Save over version 2' }).click();
    await visitor.said('The webhook endpoint is saved.');
    await conflict.waitFor({ state: 'detached' });
    expect((await api().call<WebhookEndpoint>('GET', `/v1/webhook-endpoints/${id}`)).body).toMatchObject({
      description: 'Mine',
      events: ['decision.denied'],
      version: 3,
    });
  }, 60_000);

  it('does not pass what was listed before for what a filter asks for', async () => {
    await madeRule('Listed before');
    await house.go(page, '/settings/audit-log');
    const events = page.getByRole('table', { name: 'Audit events' });
    await events.getByText('rule.created').first().waitFor();
    let letGo = (): void => undefined;
    const held = async (route: Route): Promise<void> => {
      await new Promise<void>((resolve) => (letGo = resolve));
      await route.fallback();
    };
    await page.route(/audit-events.*action=rule.deleted/, held, { times: 1 });
    const asked = page.waitForRequest(/audit-events.*action=rule.deleted/);
    await field('What').fill('rule.deleted');
    await asked;
    await page.locator('[aria-busy="true"]', { has: events }).waitFor();
    letGo();
    await page.locator('[aria-busy="true"]').waitFor({ state: 'detached' });
    expect(await events.getByText('rule.created').count()).toBe(0);
  }, 60_000);

  /** Asks until it is so. */
  async function expectSoon(isSo: () => Promise<boolean>): Promise<void> {
    for (let asked = 0; asked < 100; asked++) {
      if (await isSo()) return;
      await page.waitForTimeout(50);
    }
    expect(await isSo()).toBe(true);
  }
});

/** What reaches beyond the box of a warning, where nobody sees it. */
const cutOff = `
  [...document.querySelectorAll('.mantine-Alert-root, .mantine-List-root')].flatMap((box) =>
    [...box.querySelectorAll('*')]
      .filter((element) => element.getBoundingClientRect().right > box.getBoundingClientRect().right + 1)
      .map((element) => element.outerHTML.slice(0, 120)),
  )`;
