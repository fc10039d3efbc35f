import { randomBytes, randomUUID } from 'node:crypto';
import {
  configuration,
  exportedConfiguration,
  type ConfigurationDiff,
  type ConfigurationInput,
  type ConfigurationResult,
  type ExportedConfiguration,
  type Problem,
  type Rule,
} from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AssentClient } from '../../../../test/support/assent-client.js';
import {
  createCertificateAuthority,
  type CertificateAuthority,
  type CertifiedKey,
} from '../../../../test/support/certificates.js';
import { RulesHouse } from '../../../../test/support/rules-house.js';
import { ApplyConfiguration } from './apply-configuration.js';
import { PlanConfiguration } from './plan-configuration.js';

let house: RulesHouse;
let authority: CertificateAuthority;
let certified: CertifiedKey;
beforeAll(async () => {
  house = await RulesHouse.open();
  authority = await createCertificateAuthority('Test CA');
  certified = await authority.issue({ commonName: 'client', notAfter: new Date(Date.now() + 90 * 86_400_000) });
}, 60_000);
afterAll(() => house.close(), 60_000);

const newKey = () => `assent_${randomBytes(32).toString('base64url')}`;
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

type Secrets = { client: string; key: string; webhook: string; callback: string };
const someSecrets = (): Secrets => ({
  client: `canary-${randomUUID()}`,
  key: newKey(),
  webhook: newSecret(),
  callback: newSecret(),
});

/** A configuration with an object of each kind, all of which refer to each other where they can. */
function whole(name: string, secrets: Secrets, pem: CertifiedKey = certified) {
  return {
    tokenProviders: [{ name, issuer: 'https://op.example', profile: 'keycloak' as const }],
    keyPairs: [{ alias: name, pem: { certificate: pem.certificatePem, privateKey: pem.privateKeyPem } }],
    rejectionHandlers: [
      { name, type: 'redirect' as const, url: '/sorry?${x}' },
      {
        name: `${name} plain`,
        type: 'error-template' as const,
        status: 403,
        contentType: 'text/plain',
        template: '{{title}}',
      },
    ],
    rules: [
      {
        name,
        tokenProvider: name,
        clientId: 'assent',
        clientCredentials: { type: 'secret' as const, clientSecret: secrets.client },
        loginHintAttribute: 'email',
        bindingMessage: 'Pay {{amount}} for $${env:HOME}',
        denyRejectionHandler: name,
        timeoutRejectionHandler: 'Default Web Rejection Handler',
      },
      {
        name: `${name} mTLS`,
        tokenProvider: name,
        clientId: 'assent-mtls',
        clientCredentials: { type: 'mutual-tls' as const, keyPair: name },
        loginHintAttribute: 'email',
        fapi: true,
        signedRequest: false,
      },
    ],
    webhookEndpoints: [{ name, url: 'https://hooks.example/assent', secret: secrets.webhook }],
    apiClients: [
      {
        name,
        scopes: ['requests:write' as const, 'requests:read' as const],
        rules: [`${name} mTLS`, name],
        expiresAt: '2040-01-01T00:00:00Z',
        key: secrets.key,
        callbackSecret: secrets.callback,
      },
    ],
  } satisfies ConfigurationInput;
}

const apply = (configuration: unknown, over: object = {}, client = house.admin) =>
  client.call<ConfigurationResult & Problem>('POST', '/v1/configuration/apply', { configuration, ...over });
const diff = (configuration: unknown, over: object = {}) =>
  house.admin.call<ConfigurationDiff & Problem>('POST', '/v1/configuration/diff', { configuration, ...over });
const exported = async (secrets: string, client = house.admin): Promise<ExportedConfiguration> =>
  (await client.call<ExportedConfiguration>('GET', `/v1/configuration?secrets=${secrets}`)).body;
const auditEvents = async (): Promise<number> =>
  Number((await house.query<{ count: string }>('select count(*) from audit_events'))[0]!.count);
const ruleVersions = async (): Promise<number> =>
  Number((await house.query<{ count: string }>('select count(*) from rule_versions'))[0]!.count);
const ruleOf = async (name: string): Promise<Rule | undefined> => {
  const { body } = await house.admin.call<{ data: Rule[] }>('GET', '/v1/rules?limit=100');
  return body.data.find((rule) => rule.name === name);
};
const summary = ({ changes }: ConfigurationDiff) =>
  changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`);
const pointers = ({ changes }: ConfigurationDiff) =>
  changes.flatMap((one) => one.changes.map(({ pointer }) => pointer));

describe('a configuration', () => {
  it('makes everything, at once and once: what is as it says is left alone', async () => {
    const name = `Whole ${randomUUID()}`;
    const secrets = someSecrets();
    const wanted = whole(name, secrets);
    expect(summary((await diff(wanted)).body)).toHaveLength(8);
    const before = await auditEvents();
    const first = await apply(wanted);
    expect(first.status).toBe(200);
    expect(summary(first.body)).toEqual([
      `create token-provider ${name}`,
      `create key-pair ${name}`,
      `create rejection-handler ${name}`,
      `create rejection-handler ${name} plain`,
      `create rule ${name}`,
      `create rule ${name} mTLS`,
      `create webhook-endpoint ${name}`,
      `create api-client ${name}`,
    ]);
    expect(first.body).toMatchObject({ unchanged: 0, dryRun: false, secrets: [] });
    expect(await auditEvents()).toBe(before + 8);
    for (const secret of Object.values(secrets)) expect(JSON.stringify(first.body)).not.toContain(secret);

    const [events, versions] = [await auditEvents(), await ruleVersions()];
    for (let round = 0; round < 2; round++) {
      expect((await apply(wanted)).body).toEqual({ changes: [], unchanged: 8, dryRun: false, secrets: [] });
    }
    expect((await diff(wanted)).body).toEqual({ changes: [], unchanged: 8 });
    expect([await auditEvents(), await ruleVersions()]).toEqual([events, versions]);
    const rule = (await ruleOf(name))!;
    expect(rule).toMatchObject({ version: 1, bindingMessage: 'Pay {{amount}} for $${env:HOME}' });
    const asked = await new AssentClient(house.url, secrets.key).submit({
      rule: name,
      attributes: { email: 'alice@example.com', amount: '25 EUR' },
    });
    expect(asked.status).toBe(202);
  });

  it('changes what differs and nothing else, and tells of secrets only that they differ', async () => {
    const name = `Changed ${randomUUID()}`;
    const [old, fresh] = [someSecrets(), someSecrets()];
    await apply(whole(name, old));
    const wanted = whole(name, fresh);
    wanted.rules[0]!.bindingMessage = 'Other words';
    const changed = await apply(wanted);
    expect(summary(changed.body)).toEqual([
      `update rule ${name}`,
      `update webhook-endpoint ${name}`,
      `update api-client ${name}`,
    ]);
    expect(pointers(changed.body)).toEqual([
      '/bindingMessage',
      '/clientCredentials/clientSecret',
      '/secret',
      '/key',
      '/callbackSecret',
    ]);
    const told = JSON.stringify(changed.body);
    for (const secret of [...Object.values(old), ...Object.values(fresh)]) expect(told).not.toContain(secret);
    expect(await ruleOf(name)).toMatchObject({ version: 2, bindingMessage: 'Other words' });
    expect((await apply(wanted)).body.changes).toEqual([]);
    expect((await new AssentClient(house.url, fresh.key).call('GET', '/v1/authorization-requests')).status).toBe(200);
  });

  it('keeps secrets that it leaves out, and makes those that a new object needs, to be shown once', async () => {
    const name = `Kept ${randomUUID()}`;
    await apply(whole(name, someSecrets()));
    const silent = whole(name, someSecrets());
    silent.rules[0]!.clientCredentials = { type: 'secret' } as never;
    silent.keyPairs = [{ alias: name }] as never;
    silent.webhookEndpoints = [{ name, url: 'https://hooks.example/assent' }] as never;
    silent.apiClients = [{ ...silent.apiClients[0], key: undefined, callbackSecret: undefined }] as never;
    expect((await apply(silent)).body).toMatchObject({ changes: [], unchanged: 8 });

    const other = `New ${randomUUID()}`;
    const made = await apply({
      keyPairs: [{ alias: other, generate: { subject: 'CN=made' } }],
      webhookEndpoints: [{ name: other, url: 'https://hooks.example/new' }],
      apiClients: [{ name: other, scopes: ['requests:read'], callbackSecret: true }],
    });
    expect(made.body.secrets.map(({ kind, member }) => `${kind} ${member}`)).toEqual([
      'webhook-endpoint secret',
      'api-client key',
      'api-client callbackSecret',
    ]);
    const key = made.body.secrets.find(({ member }) => member === 'key')!.value;
    expect((await new AssentClient(house.url, key).call('GET', '/v1/authorization-requests')).status).toBe(200);
    const again = await apply({
      keyPairs: [{ alias: other, generate: { subject: 'CN=made' } }],
      webhookEndpoints: [{ name: other, url: 'https://hooks.example/new' }],
      apiClients: [{ name: other, scopes: ['requests:read'], callbackSecret: true }],
    });
    expect(again.body).toEqual({ changes: [], unchanged: 3, dryRun: false, secrets: [] });
  });

  it('puts certificates and keys in the place of others', async () => {
    const alias = `Key ${randomUUID()}`;
    const keyPair = (pem: object) => ({ keyPairs: [{ alias, pem }] });
    const made = await apply({ keyPairs: [{ alias, generate: { subject: 'CN=renewed' } }] });
    expect(made.status).toBe(200);
    const { body } = await house.admin.call<{ data: { id: string; alias: string }[] }>(
      'GET',
      '/v1/key-pairs?limit=100',
    );
    const { id } = body.data.find((one) => one.alias === alias)!;
    const { csr } = (await house.admin.call<{ csr: string }>('GET', `/v1/key-pairs/${id}/csr`)).body;
    const signed = await authority.sign(csr);
    const renewed = await apply(keyPair({ certificate: signed + authority.certificatePem }));
    expect(pointers(renewed.body)).toContain('/certificateChain');
    expect(pointers(renewed.body)).not.toContain('/privateKey');
    expect((await apply(keyPair({ certificate: signed + authority.certificatePem }))).body.changes).toEqual([]);
    const other = { certificate: certified.certificatePem, privateKey: certified.privateKeyPem };
    expect(pointers((await apply(keyPair(other))).body)).toContain('/privateKey');
    expect((await apply(keyPair(other))).body.changes).toEqual([]);
    const foreign = await apply(keyPair({ certificate: signed }));
    expect(foreign).toMatchObject({ status: 422, body: { code: 'invalid_key_pair' } });
    expect(foreign.body.errors![0]!.pointer).toBe('/configuration/keyPairs/0/pem/certificate');
  });

  it('that cannot work is refused with everything that is wrong, and leaves nothing behind', async () => {
    const name = `Wrong ${randomUUID()}`;
    const wanted = whole(name, someSecrets());
    wanted.rules[0]!.tokenProvider = 'nobody';
    wanted.rules[1]!.clientCredentials = { type: 'secret', clientSecret: '${env:NOT_RESOLVED}' } as never;
    wanted.apiClients[0]!.rules = ['no such rule'];
    wanted.tokenProviders.push({ name, issuer: 'https://op.example/2', profile: 'keycloak' });
    wanted.rejectionHandlers.push({ name: 'Default Web Rejection Handler', type: 'redirect', url: '/mine' });
    const refused = await apply(wanted);
    expect(refused.status).toBe(422);
    expect(refused.body.errors!.map(({ pointer, code }) => `${pointer} ${code}`).sort()).toEqual([
      '/configuration/apiClients/0/rules/0 unknown_reference',
      '/configuration/rejectionHandlers/2 predefined',
      '/configuration/rules/0/tokenProvider unknown_reference',
      '/configuration/rules/1/clientCredentials/clientSecret invalid_body',
      '/configuration/tokenProviders/1/name name_taken',
    ]);
    expect(await ruleOf(name)).toBeUndefined();
    expect((await diff(wanted)).status).toBe(422);
    expect(await apply({ rules: [{ name: 'no more' }] })).toMatchObject({
      status: 422,
      body: { code: 'invalid_body' },
    });
    expect(await apply({ sections: [] })).toMatchObject({ status: 422 });
  });

  it('is applied as a whole or not at all, also when only the last step fails', async () => {
    const name = `Half ${randomUUID()}`;
    const oauthClient = { issuer: 'https://login.example.com', clientId: name };
    await apply({ apiClients: [{ name: `${name} first`, scopes: ['requests:read'], oauthClient }] });
    const before = await auditEvents();
    const wanted = whole(name, someSecrets());
    const taken = { ...wanted, apiClients: [{ name, scopes: ['requests:read'], oauthClient }] };
    const refused = await apply(taken);
    expect(refused).toMatchObject({ status: 409, body: { code: 'name_taken' } });
    expect(refused.body.errors![0]!.pointer).toBe('/configuration/apiClients/0/oauthClient');
    expect(await ruleOf(name)).toBeUndefined();
    expect(await auditEvents()).toBe(before);
    expect((await diff(wanted)).body.changes).toHaveLength(8);
  });

  it('is tried without staying', async () => {
    const name = `Dry ${randomUUID()}`;
    const wanted = whole(name, someSecrets());
    const before = await auditEvents();
    const tried = await apply({ ...wanted, apiClients: [{ name, scopes: ['requests:read'] }] }, { dryRun: true });
    expect(tried.body).toMatchObject({ dryRun: true, secrets: [] });
    expect(tried.body.changes).toHaveLength(8);
    expect(await ruleOf(name)).toBeUndefined();
    expect(await auditEvents()).toBe(before);
    await apply(wanted);
    await house.request((await ruleOf(name))!);
    // What a real call would be refused for.
    const gone = { tokenProviders: [], rules: [] };
    const refused = await apply(gone, { prune: true, dryRun: true });
    expect(refused).toMatchObject({ status: 409, body: { code: 'in_use' } });
  });

  it('leaves what is in use where it is, and with it all that would have gone before', async () => {
    const own = await RulesHouse.open();
    try {
      const name = `Used ${randomUUID()}`;
      await apply(whole(name, someSecrets()), {}, own.admin);
      const rules = (await own.admin.call<{ data: Rule[] }>('GET', '/v1/rules')).body.data;
      const asked = await own.request(rules.find((rule) => rule.name === name)!);
      const before = await own.query('select count(*) as events from audit_events');
      // The rules would go first; the request that runs under one of them still needs its provider.
      const gone = { tokenProviders: [], rules: [], apiClients: undefined };
      const refused = await apply(gone, { prune: true }, own.admin);
      expect(refused).toMatchObject({ status: 409, body: { code: 'in_use' } });
      expect(refused.body.detail).toContain(name);
      expect(refused.body.users!.length).toBeGreaterThan(0);
      expect((await own.admin.call<{ data: Rule[] }>('GET', '/v1/rules')).body.data).toEqual(rules);
      expect(await own.query('select count(*) as events from audit_events')).toEqual(before);
      await own.deny(asked);
      expect((await apply(gone, { prune: true }, own.admin)).status).toBe(200);
    } finally {
      await own.close();
    }
  });

  it('gives no key to two API clients, neither one that somebody has nor one that somebody had', async () => {
    const name = `Keyed ${randomUUID()}`;
    const [key, later] = [newKey(), newKey()];
    const client = (which: string, its: string) => ({ name: `${name} ${which}`, scopes: ['requests:read'], key: its });
    const pointer = '/configuration/apiClients/1/key';
    const both = await apply({ apiClients: [client('a', key), client('b', key)] });
    expect(both).toMatchObject({ status: 409, body: { code: 'name_taken', errors: [{ pointer }] } });

    await apply({ apiClients: [client('a', key)] });
    const [row] = await house.query<{ id: string }>('select id from api_clients where name = $1', [`${name} a`]);
    const rotated = await house.admin.call<{ key: string }>('POST', `/v1/api-clients/${row!.id}/rotate`, {
      overlapSeconds: 600,
    });
    const once = await apply({ apiClients: [client('a', rotated.body.key), client('b', key)] });
    expect(once).toMatchObject({ status: 409, body: { code: 'name_taken', errors: [{ pointer }] } });
    expect((await apply({ apiClients: [client('b', later)] })).status).toBe(200);
  });

  it('is made once by callers who apply it together, on any instance', async () => {
    const name = `Race ${randomUUID()}`;
    const wanted = whole(name, someSecrets());
    const second = new AssentClient((await house.startService()).url!, house.apiKey);
    const before = await ruleVersions();
    const answers = await Promise.all([0, 1, 2, 3].map((n) => apply(wanted, {}, n % 2 === 0 ? house.admin : second)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(answers.filter(({ body }) => body.changes.length > 0)).toHaveLength(1);
    expect(await ruleVersions()).toBe(before + 2);

    const rule = (await ruleOf(name))!;
    const patches = [30, 31, 32].map((consumeWithinSeconds) =>
      house.admin.call('PATCH', `/v1/rules/${rule.id}`, { consumeWithinSeconds }),
    );
    const changed = { rules: [{ ...wanted.rules[0]!, consumeWithinSeconds: 99 }] };
    const [applied] = await Promise.all([apply(changed), ...patches]);
    expect(applied.status).toBe(200);
    // A patch may come after it; but there was a moment at which everything was as it says.
    const made = await house.query(
      `select from rule_versions where rule_id = $1 and (definition ->> 'consumeWithinSeconds')::integer = 99`,
      [rule.id],
    );
    expect(made).toHaveLength(1);
  });

  it('is applied in the end though others change the same thing each time: then they wait', async () => {
    const name = `Busy ${randomUUID()}`;
    const wanted = whole(name, someSecrets());
    await apply(wanted);
    const rule = (await ruleOf(name))!;
    const planner = new PlanConfiguration({ database: house.database, guard: house.parts.guard });
    const change = (consumeWithinSeconds: number) =>
      house.admin.call<Rule>('PATCH', `/v1/rules/${rule.id}`, { consumeWithinSeconds });
    const ends: string[] = [];
    let plans = 0;
    let last: Promise<unknown> = Promise.resolve();
    const disturbed = new ApplyConfiguration(house.database, {
      run: async (order) => {
        const plan = await planner.run(order);
        const neighbour = change(100 + ++plans);
        if (plans <= 5) await neighbour;
        else last = neighbour.then(({ status }) => ends.push(`neighbour ${status}`));
        return plan;
      },
    });
    const differing = configuration.parse({ rules: [{ ...wanted.rules[0]!, consumeWithinSeconds: 77 }] });
    const order = { configuration: differing, prune: false, dryRun: false };
    const { changes } = await disturbed.run(order, { actor: { type: 'system', id: null }, requestId: null });
    ends.push('applied');
    await last;
    expect([plans, changes.length, ends]).toEqual([6, 1, ['applied', 'neighbour 200']]);
    const versions = await house.query<{ consume: number }>(
      `select (definition->>'consumeWithinSeconds')::int as consume from rule_versions where rule_id = $1 order by version`,
      [rule.id],
    );
    expect(versions.slice(-2).map(({ consume }) => consume)).toEqual([77, 106]);
  });

  it('is written into the audit log change by change, as the act of whoever applied it', async () => {
    const name = `Audited ${randomUUID()}`;
    const client = await house.client('admin:write');
    await apply({ tokenProviders: [{ name, issuer: 'https://op.example' }] }, {}, client);
    const [event, ...others] = await house.query<{ action: string; actor_type: string; request_id: string | null }>(
      'select action, actor_type, request_id from audit_events where resource_name = $1',
      [name],
    );
    expect(others).toEqual([]);
    expect(event).toMatchObject({ action: 'token-provider.created', actor_type: 'api-client' });
    expect(event!.request_id).not.toBeNull();
  });

  it('may be larger than other bodies, and is refused when it is larger than that', async () => {
    const handler = (kilobytes: number) => ({
      name: 'Large',
      type: 'error-template',
      status: 403,
      contentType: 'text/plain',
      template: 'x'.repeat(kilobytes * 1000),
    });
    const many = Array.from({ length: 20 }, (_, index) => ({ ...handler(60), name: `Large ${index}` }));
    expect((await diff({ rejectionHandlers: many })).status).toBe(200);
    const larger = Array.from({ length: 40 }, (_, index) => ({ ...handler(60), name: `Large ${index}` }));
    expect(await diff({ rejectionHandlers: larger })).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });
});

describe('an export', () => {
  it('names where secrets are kept, and makes the same on another system', async () => {
    const name = `Moved ${randomUUID()}`;
    const secrets = someSecrets();
    await apply(whole(name, secrets));
    const shown = await exported('references');
    expect(exportedConfiguration.parse(shown)).toEqual(shown);
    const text = JSON.stringify(shown);
    for (const secret of [...Object.values(secrets), certified.privateKeyPem.split('\n')[1]!]) {
      expect(text).not.toContain(secret);
    }
    expect(shown.rules!.find((rule) => rule['name'] === name)).toEqual({
      name,
      tokenProvider: name,
      clientId: 'assent',
      clientCredentials: {
        type: 'secret',
        clientSecret: expect.stringMatching(/^\$\{env:ASSENT_RULE_MOVED_\w+_CLIENT_SECRET\}$/),
      },
      loginHintAttribute: 'email',
      bindingMessage: 'Pay {{amount}} for $$${env:HOME}',
      denyRejectionHandler: name,
      timeoutRejectionHandler: 'Default Web Rejection Handler',
    });
    expect(configuration.safeParse(await exported('left-out')).success).toBe(true);

    const elsewhere = await RulesHouse.open();
    try {
      const wanted = whole(name, secrets);
      await apply(wanted, {}, elsewhere.admin);
      expect((await exported('references', elsewhere.admin)).rules).toEqual(
        shown.rules!.filter((rule) => String(rule['name']).startsWith(name)),
      );
      const own = await exported('left-out', elsewhere.admin);
      expect((await apply(own, { prune: true }, elsewhere.admin)).status).toBe(200);
    } finally {
      await elsewhere.close();
    }
  });

  it('changes nothing where it is applied again', async () => {
    const name = `Unnamed ${randomUUID()}`;
    const { id } = await house.admin.create<{ id: string }>('webhook-endpoints', { url: `https://a.example/${name}` });
    const shown = await exported('left-out');
    const result = await apply(unescaped(shown), { prune: true });
    expect(result.status).toBe(200);
    // Endpoints that had no name have got one.
    expect(result.body.changes.filter(({ kind }) => kind !== 'webhook-endpoint')).toEqual([]);
    expect(new Set(pointers(result.body))).toEqual(new Set(['/name']));
    expect((await house.admin.call('GET', `/v1/webhook-endpoints/${id}`)).body).toMatchObject({ version: 2 });
    expect((await apply(unescaped(await exported('left-out')), { prune: true })).body.changes).toEqual([]);
  });
});

describe('what a configuration leaves out', () => {
  it('goes with prune, in the sections that it has, and not the caller or what is predefined', async () => {
    const own = await RulesHouse.open();
    try {
      const [mine, theirs] = [`Mine ${randomUUID()}`, `Theirs ${randomUUID()}`];
      for (const name of [mine, theirs]) await apply(whole(name, someSecrets()), {}, own.admin);
      expect((await apply({ rules: [] }, { prune: false }, own.admin)).body.changes).toEqual([]);
      const wanted = whole(mine, someSecrets());
      const rulesOnly = { rules: wanted.rules.map((rule) => ({ ...rule, tokenProvider: mine })) };
      const unreferenced = await apply({ ...rulesOnly, tokenProviders: [] }, { prune: true }, own.admin);
      expect(unreferenced).toMatchObject({ status: 422, body: { code: 'unknown_reference' } });

      const administrator = await own.client('admin:write');
      const refused = await apply(wanted, { prune: true }, administrator);
      expect(refused).toMatchObject({ status: 409, body: { code: 'in_use' } });
      const others = { ...wanted, apiClients: undefined };
      const pruned = await apply(others, { prune: true }, administrator);
      expect(pruned.status).toBe(200);
      expect(summary(pruned.body).filter((line) => line.startsWith('delete'))).toEqual([
        `delete webhook-endpoint ${theirs}`,
        `delete rule ${theirs}`,
        `delete rule ${theirs} mTLS`,
        `delete rejection-handler ${theirs}`,
        `delete rejection-handler ${theirs} plain`,
        `delete key-pair ${theirs}`,
        `delete token-provider ${theirs}`,
      ]);
      const left = await exported('left-out', own.admin);
      expect(left.rules!.map((rule) => rule['name'])).toEqual([mine, `${mine} mTLS`]);
      expect(left.apiClients!.map((client) => client['name'])).toContain(theirs);
      const { body } = await own.admin.call<{ data: { predefined: boolean }[] }>('GET', '/v1/rejection-handlers');
      expect(body.data.filter(({ predefined }) => predefined)).toHaveLength(3);
    } finally {
      await own.close();
    }
  });
});

/** What the command line does with texts that look like references and are none. */
const unescaped = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value).replaceAll('$$${env:', () => '$${env:'));
