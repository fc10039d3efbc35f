import type { ApiClient, KeyPair, RejectionHandler, Rule, TokenProvider } from '#lib/contracts';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { AssentClient } from '../support/assent-client.js';
import { createCertificateAuthority } from '../support/certificates.js';
import {
  describeWithBrowser,
  findAccessibilityProblems,
  overflowsSideways,
  type Page,
  type WatchedPage,
} from '../support/chromium.js';
import { startScriptedProvider, type ScriptedProvider } from '../support/scripted-provider.js';
import { ruleBody } from '../support/rules-house.js';
import { ConsoleHouse, settled } from './console-house.js';
import { Visitor } from './visitor.js';

/** The main task of each administration page, from empty to done, by somebody at a browser. */
describeWithBrowser('administration in the console', () => {
  let house: ConsoleHouse;
  let provider: ScriptedProvider;
  let watched: WatchedPage;
  let page: Page;
  let visitor: Visitor;
  beforeAll(async () => {
    house = await ConsoleHouse.open();
    provider = await startScriptedProvider();
    watched = await house.visit('/access/rules');
    ({ page } = watched);
    visitor = new Visitor(page);
  }, 90_000);
  let stopped = false;
  const stopProvider = async (): Promise<void> => {
    if (!stopped) await provider?.stop();
    stopped = true;
  };
  afterEach(() => {
    expect(watched.complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await stopProvider();
    await house?.close();
  }, 60_000);

  const api = () => house.rules.admin;
  const list = async <Item>(collection: string): Promise<Item[]> =>
    (await api().call<{ data: Item[] }>('GET', `/v1/${collection}`)).body.data;
  const button = (name: string) => visitor.button(name);
  const field = (name: string) => visitor.field(name);
  const dialog = (name: string) => visitor.dialog(name);
  const said = (words: string | RegExp) => visitor.said(words);
  const cleanToEverybody = () => visitor.findsNothingWrong();

  it('adds a token provider and has the doctor look at it', async () => {
    await house.go(page, '/settings/token-providers');
    await page.getByRole('link', { name: 'Add Token Provider' }).click();
    await button('Save').click();
    await said('Give a name of 1 to 64 characters.');
    await visitor.comesTo('Name');
    await field('Name').fill('Bank');
    await field('Issuer').fill(provider.issuer);
    await button('Save').click();
    await page.getByRole('heading', { name: 'Bank' }).waitFor();
    await button('Check now').click();
    await page
      .getByText(/Ready for requests|Error/)
      .first()
      .waitFor();
    expect((await list<TokenProvider>('token-providers'))[0]).toMatchObject({ name: 'Bank', issuer: provider.issuer });

    await stopProvider();
    await button('Check now').click();
    await said('discovery_unreachable');
    await said('Check the issuer, DNS and the way through the firewall');
    await cleanToEverybody();
  }, 120_000);

  it('makes a rejection handler while showing what the caller gets', async () => {
    await house.go(page, '/access/rejection-handlers');
    await page.getByRole('link', { name: 'Add Rejection Handler' }).click();
    await field('Name').fill('Denied page');
    await page.getByLabel('Content Type').first().fill('text/html; charset=utf-8');
    await page
      .getByLabel('Template', { exact: true })
      .fill('<style>h1 { color: teal }</style><h1>{{header}}</h1><script>parent.ran = 1; top.ran = 1</script>');
    const shown = page.frameLocator('iframe');
    await shown.getByRole('heading', { name: 'The request was not approved' }).waitFor();
    await page.getByText('Expired', { exact: true }).click();
    await shown.getByRole('heading', { name: 'Nobody answered in time' }).waitFor();
    // The page may be a dark one: a ground of the frame's own would swallow its words.
    const ground = `getComputedStyle(document.querySelector('iframe')).backgroundColor`;
    expect(await page.evaluate<string>(ground)).toBe('rgba(0, 0, 0, 0)');
    await said('HTTP/1.1 403');
    expect(await page.evaluate(() => 'ran' in globalThis)).toBe(false);

    await field('Template').fill('{{nonsense}}');
    await button('Save').click();
    await said('{{nonsense}} is not a variable.');
    await field('Template').fill('<h1>{{title}}</h1>');
    await cleanToEverybody();
    await button('Save').click();
    await page.getByRole('link', { name: 'Denied page' }).waitFor();
    const made = (await list<RejectionHandler>('rejection-handlers')).find(({ name }) => name === 'Denied page');
    expect(made).toMatchObject({ type: 'error-template', status: 403, template: '<h1>{{title}}</h1>' });
  }, 120_000);

  it('shows what the service refuses at the field, and never a secret', async () => {
    const [bank] = await list<TokenProvider>('token-providers');
    await api().create<Rule>('rules', ruleBody(bank!.id, { name: 'Approve a payment' }));
    await house.go(page, '/access/rules/new');
    await field('Name').fill('Approve a payment');
    await page.getByLabel('Token Provider').first().click();
    await page.getByRole('option', { name: 'Bank' }).click();
    await field('Client ID').fill('payments');
    await field('Login Hint Request Attribute').fill('email');
    await button('Save').click();
    await said('Give the client secret that the provider knows for this client.');
    await page.locator('input[type="password"]').fill('canary-of-the-console');
    await button('Save').click();
    await said('Another rule has this name. Choose another one.');
    await visitor.comesTo('Name');
    await field('Name').fill('With a secret');
    await button('Save').click();
    await page.getByRole('link', { name: 'With a secret' }).click();
    await said(/^Set, changed/);
    expect(await page.content()).not.toContain('canary-of-the-console');
    await cleanToEverybody();
  }, 120_000);

  it('keeps what was typed when the session ends, until the same person is there again', async () => {
    await house.go(page, '/access/rules/new');
    await field('Name').fill('Typed before the session ended');
    await page.context().clearCookies();
    await page.getByLabel('Token Provider').first().click();
    await page.getByRole('option', { name: 'Bank' }).click();
    await field('Client ID').fill('payments');
    await field('Login Hint Request Attribute').fill('email');
    await page.getByRole('radio', { name: 'Private Key JWT' }).check();
    await button('Save').click();
    const again = dialog('Your session has ended');
    await again.getByText('What you have typed on this page is still there.').waitFor();
    await cleanToEverybody();
    await again.locator('input[type="password"]').fill('not-a-key');
    await again.getByRole('button', { name: 'Log in' }).click();
    await again.getByText('Nobody has this API key').waitFor();
    await again.locator('input[type="password"]').fill(house.rules.apiKey);
    await again.getByRole('button', { name: 'Log in' }).click();
    await again.waitFor({ state: 'detached' });
    expect(await field('Name').inputValue()).toBe('Typed before the session ended');
    await button('Save').click();
    await page.getByRole('link', { name: 'Typed before the session ended' }).waitFor();
  }, 120_000);

  it('shows both versions when somebody else has saved meanwhile, and keeps what is wanted of each', async () => {
    const provided = (await list<TokenProvider>('token-providers'))[0]!;
    const rule = await api().create<Rule>('rules', ruleBody(provided.id, { name: 'Contested', clientId: 'one' }));
    await house.go(page, `/access/rules/${rule.id}`);
    await field('Client ID').fill('mine');
    await field('Login Hint Request Attribute').fill('phone');
    await api().call('PATCH', `/v1/rules/${rule.id}`, { clientId: 'theirs', scopes: ['payments'] });
    await button('Save').click();
    const conflict = dialog('Somebody else has changed this rule');
    await conflict.getByText('changed by both').waitFor();
    await cleanToEverybody();
    await conflict.getByRole('radiogroup', { name: 'Client ID: whose' }).getByText('Theirs', { exact: true }).click();
    await conflict.getByRole('button', { name: 'Save over version 2' }).click();
    await said('Contested is saved as version 3.');
    const { body } = await api().call<Rule>('GET', `/v1/rules/${rule.id}`);
    expect(body).toMatchObject({ clientId: 'theirs', loginHintAttribute: 'phone', scopes: ['payments'], version: 3 });
  }, 120_000);

  it('asks before what was typed is left, and before a rule is deleted', async () => {
    const rule = (await list<Rule>('rules')).find(({ name }) => name === 'Contested')!;
    await house.go(page, `/access/rules/${rule.id}`);
    await field('Client ID').fill('not saved');
    await page.getByRole('link', { name: 'Key Pairs' }).click();
    await dialog('Leave without saving?').waitFor();
    await cleanToEverybody();
    await dialog('Leave without saving?').getByRole('button', { name: 'Cancel' }).click();
    expect(await field('Client ID').inputValue()).toBe('not saved');
    await page.getByRole('link', { name: 'Rules', exact: true }).first().click();
    await dialog('Leave without saving?').getByRole('button', { name: 'Leave without saving' }).click();
    await button('Actions for Contested').click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await dialog('Delete this rule?').waitFor();
    await cleanToEverybody();
    await dialog('Delete this rule?').getByRole('button', { name: 'Delete the rule' }).click();
    await page.getByRole('link', { name: 'Contested' }).waitFor({ state: 'detached' });
    expect((await list<Rule>('rules')).some(({ name }) => name === 'Contested')).toBe(false);
  }, 120_000);

  it('generates a key pair, has it signed, and imports another one', async () => {
    const authority = await createCertificateAuthority('Console CA');
    await house.go(page, '/security/key-pairs');
    await button('Generate').click();
    await field('Alias').fill('mTLS 2026');
    await field('Common Name').fill('client.example');
    await field('Organization').fill('Example, Inc.');
    await cleanToEverybody();
    await dialog('Generate a key pair').getByRole('button', { name: 'Generate' }).click();
    await page.getByRole('heading', { name: 'mTLS 2026' }).waitFor();
    await said('No rule uses it.');
    await button('Create CSR').click();
    const request = await page.getByRole('region', { name: 'the certificate request' }).innerText();
    await button('Replace the certificate').click();
    await page.getByRole('textbox', { name: 'Certificate' }).fill(await authority.sign(request));
    await cleanToEverybody();
    await dialog('Replace the certificate').getByRole('button', { name: 'Replace' }).click();
    await said('CN=Console CA');
    await cleanToEverybody();

    const issued = await authority.issue({ commonName: 'imported' });
    await house.go(page, '/security/key-pairs');
    await button('Import').click();
    await field('Alias').fill('Imported');
    await page.getByRole('textbox', { name: 'Certificate' }).fill(issued.certificatePem + authority.certificatePem);
    await page.getByRole('textbox', { name: 'Private Key' }).fill('no key');
    await dialog('Import a key pair').getByRole('button', { name: 'Import' }).click();
    await dialog('Import a key pair').locator('[aria-invalid="true"], [role="alert"]').first().waitFor();
    await cleanToEverybody();
    await page.getByRole('textbox', { name: 'Private Key' }).fill(issued.privateKeyPem);
    await dialog('Import a key pair').getByRole('button', { name: 'Import' }).click();
    await page.getByRole('heading', { name: 'Imported' }).waitFor();
    await button('Rename').click();
    await field('Alias').fill('Imported once');
    await cleanToEverybody();
    await dialog('Rename the key pair').getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('heading', { name: 'Imported once' }).waitFor();
    expect((await list<KeyPair>('key-pairs')).map(({ alias, issuer }) => [alias, issuer])).toEqual([
      ['mTLS 2026', 'CN=Console CA'],
      ['Imported once', 'CN=Console CA'],
    ]);
  }, 120_000);

  it('shows the signing keys and the key set', async () => {
    await house.go(page, '/security/signing-keys');
    await page.getByText('Signs now').first().waitFor();
    await button('Show the public keys').click();
    const published = await page.getByRole('region', { name: 'the key set' }).innerText();
    const { keys } = JSON.parse(published) as { keys: Array<Record<string, unknown>> };
    expect(keys.length).toBeGreaterThan(5);
    expect(keys.some((key) => 'd' in key)).toBe(false);
    await cleanToEverybody();
  }, 120_000);

  it('makes an API client, shows its key once, and rotates it with an overlap', async () => {
    const shown = () => page.getByRole('dialog', { name: 'The key of this API client' });
    const readKey = async (): Promise<string> => {
      const key = await shown().locator('code').first().innerText();
      await page.keyboard.press('Escape');
      await cleanToEverybody();
      await shown().getByLabel('I have put it where it belongs').check();
      await shown().getByRole('button', { name: 'Done' }).click();
      await shown().waitFor({ state: 'detached' });
      expect(await page.content()).not.toContain(key);
      return key;
    };
    await house.go(page, '/settings/api-clients');
    await button('Add API Client').click();
    await field('Name').fill('Shop');
    await page.getByLabel('Key Ends On').fill('2099-05-06');
    await dialog('Add an API client').getByRole('button', { name: 'Save' }).click();
    const key = await readKey();
    const client = new AssentClient(house.rules.url, key);
    expect((await client.call('GET', '/v1/authorization-requests')).status).toBe(200);
    expect((await client.call('GET', '/v1/rules')).status).toBe(403);

    await button('Actions for Shop').click();
    await page.getByRole('menuitem', { name: 'Rotate the key' }).click();
    await dialog('Rotate the key of Shop').waitFor();
    await cleanToEverybody();
    await dialog('Rotate the key of Shop').getByRole('button', { name: 'Rotate' }).click();
    const next = await readKey();
    for (const one of [key, next]) {
      const answer = await new AssentClient(house.rules.url, one).call('GET', '/v1/authorization-requests');
      expect(answer.status).toBe(200);
    }
    await button('Actions for Shop').click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await dialog('API client Shop').getByRole('textbox', { name: 'Requests per Minute' }).fill('30');
    await cleanToEverybody();
    await dialog('API client Shop').getByRole('button', { name: 'Save' }).click();
    await dialog('API client Shop').waitFor({ state: 'detached' });
    const [stored] = await list<ApiClient>('api-clients');
    expect(stored).toMatchObject({ requestsPerMinute: 30 });
    expect(stored).toMatchObject({ name: 'Shop', scopes: ['requests:write', 'requests:read'] });
    expect(stored!.previousKey).not.toBeNull();
  }, 120_000);

  it('exports the configuration as YAML, and applies another one after showing what it would change', async () => {
    await house.go(page, '/settings/import-export');
    await page.getByRole('region', { name: 'the configuration' }).getByText('Approve a payment').waitFor();
    await cleanToEverybody();
    await visitor.findsItNarrowEnough();
    const exported = await visitor.downloads(() => button('Download YAML').click());
    expect(exported.name).toBe('assent.yaml');
    expect(parse(exported.text)).toMatchObject({
      rules: expect.arrayContaining([
        expect.objectContaining({
          name: 'With a secret',
          clientCredentials: { type: 'secret', clientSecret: expect.stringMatching(/^\$\{env:\w+\}$/) },
        }),
      ]),
    });

    await page.getByRole('tab', { name: 'Apply' }).click();
    await field('Configuration (YAML or JSON)').fill('rejectionHandlers: [');
    await button('Compare').click();
    await said(/^This is neither YAML nor JSON/);
    await field('Configuration (YAML or JSON)').fill(
      'rejectionHandlers:\n  - {name: From a file, type: redirect, url: https://shop.example/basket}\n',
    );
    await button('Compare').click();
    await said('1 object to change, 0 as they should be.');
    await cleanToEverybody();
    await visitor.findsItNarrowEnough();
    await button('Apply 1 change').click();
    await dialog('Apply this configuration?').getByRole('button', { name: 'Apply' }).click();
    await said('The configuration is applied.');
    expect((await list<RejectionHandler>('rejection-handlers')).map(({ name }) => name)).toContain('From a file');
  }, 120_000);

  it('comes here from PingAccess: looks, gives what is missing, imports', async () => {
    await house.go(page, '/settings/import-export?tab=pingaccess');
    const file = page.locator('input[type="file"]');
    const chosen = (content: string) => ({
      name: 'pa-data.json',
      mimeType: 'application/json',
      buffer: Buffer.from(content),
    });
    await file.setInputFiles(chosen('PK not json'));
    await said(/^This file is not JSON/);
    await file.setInputFiles(chosen(JSON.stringify(exportOfPingAccess)));
    const rows = page.getByRole('table', { name: 'Objects of the export' }).getByRole('row');
    await rows.filter({ hasText: 'Pay from PingAccess' }).getByText('Needs input').waitFor();
    await rows.filter({ hasText: 'Default Web Rejection Handler' }).getByText('Is there already').waitFor();
    await rows.filter({ hasText: 'Groovy' }).getByText('Skipped').waitFor();
    expect(await button('Import').isDisabled()).toBe(true);
    await cleanToEverybody();
    await visitor.findsItNarrowEnough();
    await page.getByLabel(/^Pay from PingAccess: Its client secret/).fill('canary-of-the-wizard');
    await button('Check again').click();
    await rows.filter({ hasText: 'Pay from PingAccess' }).getByText('Will be made').waitFor();
    await button('Import').click();
    const asked = dialog('Import from PingAccess?');
    await asked.getByRole('button', { name: 'Import 3 objects' }).click();
    await said('Made: 3 objects');
    await cleanToEverybody();
    expect(await page.content()).not.toContain('canary-of-the-wizard');
    expect((await list<Rule>('rules')).find(({ name }) => name === 'Pay from PingAccess')).toMatchObject({
      clientId: 'shop',
      scopes: ['payments'],
      requestedExpirySeconds: 90,
    });
    expect((await list<TokenProvider>('token-providers')).map(({ name }) => name)).toContain('PingFederate');
  }, 120_000);

  it('shows hostile texts wherever something is named, and none of them does anything', async () => {
    const hostile = `"><img src=x onerror="ran=1"><script>ran=1</script>`;
    const name = (prefix: string) => `${prefix}${hostile}`.slice(0, 64);
    const issuer = 'https://id.example/%3Cscript%3E';
    const made = await api().create<TokenProvider>('token-providers', { name: name('P'), issuer });
    const handler = await api().create<RejectionHandler>('rejection-handlers', {
      name: name('H'),
      type: 'error-template',
      status: 403,
      contentType: 'text/html',
      template: `{{header}}${hostile}<svg onload="top.ran=1"><iframe src="javascript:top.ran=1"></iframe>`,
    });
    const rule = await api().create<Rule>(
      'rules',
      ruleBody(made.id, {
        name: name('R'),
        clientId: hostile,
        bindingMessage: `${hostile}{{constructor}}`,
        hintTemplate: `{{value}}${hostile}`,
        authorizationDetails: [{ type: hostile, [hostile]: hostile }],
        denyRejectionHandlerId: handler.id,
      }),
    );
    const keyPair = await api().create<KeyPair>('key-pairs', {
      alias: name('K'),
      generate: { subject: 'CN=x\\<script\\>' },
    });
    await api().create('api-clients', {
      name: name('C'),
      scopes: ['requests:read'],
      subjects: [{ endsWith: hostile }],
    });
    const visit = await house.visit('/access/rules');
    const dialogs: string[] = [];
    visit.page.on('dialog', (opened) => {
      dialogs.push(opened.message());
      void opened.dismiss();
    });
    for (const [path, marker] of [
      ['/access/rules', name('R')],
      [`/access/rules/${rule.id}`, name('R')],
      ['/access/rejection-handlers', name('H')],
      ['/security/key-pairs', name('K')],
      [`/security/key-pairs/${keyPair.id}`, name('K')],
      ['/settings/token-providers', name('P')],
      [`/settings/token-providers/${made.id}`, name('P')],
      ['/settings/api-clients', name('C')],
      // Last: its frame may still complain when the page has been left, and then it would be taken for the next page.
      [`/access/rejection-handlers/${handler.id}`, name('H')],
    ] as const) {
      await house.go(visit.page, path);
      await visit.page.getByText(marker, { exact: true }).first().waitFor();
      expect([path, await visit.page.evaluate(() => 'ran' in globalThis)]).toEqual([path, false]);
      expect([path, await overflowsSideways(visit.page)]).toEqual([path, false]);
      // What the template tries in the frame of its preview is refused by the frame's own policy, which says so.
      const inFrame = path.endsWith(handler.id) ? /inline event handler violates|script-src-attr/ : /(?!)/;
      const others = visit.complaints.splice(0).filter((complaint) => !inFrame.test(complaint));
      expect([path, others]).toEqual([path, []]);
    }
    expect(dialogs).toEqual([]);
    await visit.close();
  }, 120_000);

  it('can be used by everybody in the dark and on a narrow screen, with all that is defined', async () => {
    const narrow = await house.visit('/access/rules', { width: 320, height: 740, colorScheme: 'dark' });
    const [rule] = await list<Rule>('rules');
    const [keyPair] = await list<KeyPair>('key-pairs');
    const [stored] = await list<TokenProvider>('token-providers');
    for (const path of [
      '/access/rules',
      `/access/rules/${rule!.id}`,
      '/access/rejection-handlers',
      '/security/key-pairs?add=import',
      `/security/key-pairs/${keyPair!.id}`,
      '/settings/token-providers',
      `/settings/token-providers/${stored!.id}`,
      '/settings/api-clients',
      '/settings/api-clients?add=client',
    ]) {
      await house.go(narrow.page, path);
      await settled(narrow.page);
      expect([path, await findAccessibilityProblems(narrow.page)]).toEqual([path, []]);
      expect([path, await overflowsSideways(narrow.page)]).toEqual([path, false]);
    }
    expect(narrow.complaints).toEqual([]);
    await narrow.close();
  }, 120_000);
});

const errorTemplate = 'com.pingidentity.pa.policy.rejectionhandler.errortemplate.ErrorTemplateRejectionHandlerPlugin';

/** An export with one rule, whose secret cannot be read. */
const exportOfPingAccess = {
  version: '8.0.1.0',
  data: {
    tokenProvider: { type: 'PingFederate' },
    pingFederateRuntime: { issuer: 'https://login.example.com' },
    rejectionHandlers: [
      {
        id: 1,
        name: 'Default Web Rejection Handler',
        className: errorTemplate,
        configuration: { responseCode: '403' },
      },
      {
        id: 7,
        name: 'Shop says no',
        className: errorTemplate,
        configuration: { responseCode: '451', contentType: 'HTML' },
      },
      { id: 9, name: 'Groovy', className: 'x.Other', configuration: {} },
    ],
    rules: [
      {
        id: 17,
        name: 'Pay from PingAccess',
        className: 'x.OneTimeAuthorization',
        configuration: {
          oauthClientCredentials: {
            clientId: 'shop',
            clientSecret: { encryptedValue: 'OBF:JWE:x' },
            credentialsType: 'SECRET',
          },
          loginHintRequestAttribute: 'email',
          scopes: ['openid', 'payments'],
          requestedExpiry: '90',
          timeoutRejectionHandler: '1',
          denyRejectionHandler: '7',
        },
      },
    ],
    applications: [{}],
  },
};
