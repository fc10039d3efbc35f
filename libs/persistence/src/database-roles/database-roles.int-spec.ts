import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Decision } from '#lib/contracts';
import { Client } from 'pg';
import { v7 as uuid } from 'uuid';
import { limitedDatabaseUrls, type LimitedDatabaseUrls } from '../../../../test/support/limited-database-urls.js';
import { approve, aProvider, aRule, clientDefaults, submitted } from '../../../../test/support/postgres-builders.js';
import { asAdmin, freshDatabase, type FreshDatabase } from '../../../../test/support/postgres.js';
import { Database, generateMasterKey, migrate } from '../index.js';
import { createDatabaseRoles } from './create-database-roles.js';
import { databaseServices, tablePrivileges, type DatabaseService } from './privileges.js';
import { roleName, type DatabaseRole } from './role-statements.js';

/** An empty database, roles, migrations as the migrator, and then each service as a user of its own. */

let server: FreshDatabase;
let url: string;
let name: string;
let roles: LimitedDatabaseUrls;
const databases = {} as Record<DatabaseService, Database>;
const sql = {} as Record<DatabaseRole, Client>;

beforeAll(async () => {
  server = await freshDatabase();
  name = `roles_${randomBytes(6).toString('hex')}`;
  await asAdmin(server.url, (admin) => admin.query(`create database ${name}`));
  const address = new URL(server.url);
  address.pathname = `/${name}`;
  url = address.href;
  roles = await limitedDatabaseUrls(url);
  await migrate(roles.urls.migrator, { rolePrefix: prefixOf(roles) });
  const [old, active] = [generateMasterKey(), generateMasterKey().replace('k1:', 'k2:')];
  for (const service of databaseServices) {
    databases[service] = await Database.open({
      url: roles.urls[service],
      masterKeys: service === 'decision-service' ? `${active},${old}` : `${old},${active}`,
      source: `/assent/${service}`,
    });
  }
  for (const [role, at] of Object.entries(roles.urls) as [DatabaseRole, string][]) {
    sql[role] = new Client({ connectionString: at });
    await sql[role].connect();
  }
}, 120_000);
afterAll(async () => {
  await Promise.all(Object.values(databases).map((database) => database.close()));
  await Promise.all(Object.values(sql).map((client) => client.end()));
  await asAdmin(server.url, (admin) => admin.query(`drop database ${name} with (force)`));
  await roles.drop();
  await server.drop();
}, 60_000);

const prefixOf = ({ urls }: LimitedDatabaseUrls): string =>
  new URL(urls.migrator).username.slice(0, -'migrator'.length);
const roleOf = (role: DatabaseRole): string => roleName(role, prefixOf(roles));

it('lets each service do its work', async () => {
  const { 'rules-service': api, 'ciba-worker': worker, poller, 'decision-service': decider } = databases;
  await api.signingKeys.ensure();
  await api.encryptionKeys.ensure();
  const provider = await aProvider(api);
  const rule = await aRule(api, { tokenProviderId: provider.id });
  await api.webhookEndpoints.create({
    url: 'https://hooks.example/in',
    description: '',
    events: ['decision.approved'],
    enabled: true,
    secret: 'whsec_secret',
  });
  await api.apiClients.create({
    ...{ name: randomUUID(), scopes: ['requests:read'], ...clientDefaults },
    ...{ keyHash: randomBytes(32), keyPrefix: 'assent_1234', callbackSecret: 'whsec_callback' },
  });

  const id = await submitted(api, rule, { callbackUrl: 'https://shop.example/in' });
  expect(await worker.requests.unstarted({ olderThanSeconds: 0, limit: 10, pausedForSeconds: 60 })).toEqual([id]);
  expect(await worker.requests.startWork(id)).toMatchObject({ loginHint: 'alice@example.com' });
  expect(await worker.registrations.load(rule)).toMatchObject({ clientId: 'client' });
  const attemptId = uuid();
  const cause = { consumer: 'ciba-worker', eventId: randomUUID() };
  const call = { requestId: id, attemptId, instanceId: 'worker', callTimeoutMs: 10_000, cause };
  const opened = await worker.requests.openAttempt(call);
  if (opened.kind !== 'opened') throw new Error(opened.kind);
  const acknowledged = await worker.requests.change(id, {
    ...{ type: 'acknowledge', attemptId, authReqId: randomUUID(), sentAt: opened.sentAt },
    ...{ expiresInSeconds: 120, intervalSeconds: 5 },
  });
  expect(acknowledged.kind).toBe('applied');
  await worker.clientRefusals.lift(rule);

  await poller.shards.renew('poller', 10_000);
  const { taken } = await poller.shards.takeLapsed('poller', 256, 10_000);
  const reading = await poller.requests.pending({ shards: taken.map(({ shard }) => shard) });
  expect(JSON.stringify(reading)).toContain(id);
  await poller.requests.holdAnswer(id, { id_token: 'x' });
  expect((await poller.requests.change(id, approve({ held: true }))).kind).toBe('applied');
  await poller.shards.release('poller', [0], true);
  await poller.shards.leave('poller');

  const decision = await decisionOf(decider, id);
  expect(
    await decider.decisions.record({ decision, cause: { consumer: 'decision-service', eventId: randomUUID() } }),
  ).toBe('recorded');
  const deliveries = await decider.deliveries.claim({ limit: 10, leaseSeconds: 60 });
  expect(deliveries.map(({ kind }) => kind).sort()).toEqual(['callback', 'webhook']);
  const result = { at: new Date(), durationMs: 1, status: 200, problem: null, outcome: 'delivered' } as const;
  await decider.deliveries.finish(deliveries.map((delivery) => ({ id: delivery.id, ...result })));
  expect((await api.requests.change(id, { type: 'consume', by: randomUUID(), key: null })).kind).toBe('applied');

  await decider.signingKeys.rotate({ everySeconds: 0, publishedAheadSeconds: 0, retiredForSeconds: 0 });
  await decider.encryptionKeys.rotate({ everySeconds: 0, retiredForSeconds: 0 });
  await decider.audit.seal();
  await decider.masterKeys.resealRest();
  await decider.housekeep({
    retention: { personalDays: 0, requestsDays: 0, timelinesDays: 0, deliveriesDays: 0, eventsDays: 0, inboxDays: 0 },
  });
  await api.masterKeys.list();
  const person = { name: 'alice@example.com', subject: 'alice' };
  await api.erasures.erase(person);
  await api.erasures.record({ by: randomUUID(), erased: 1, cancelled: 0 });
  expect((await api.audit.list({ limit: 10 })).data.length).toBeGreaterThan(0);
  for (const database of Object.values(databases)) {
    expect(await database.judge()).toEqual([]);
    await database.outbox.sweep({ limit: 10, olderThanMs: 0 }, async (events) => events.map((event) => event.id));
  }
}, 60_000);

describe('refuses', () => {
  const insert = 'insert into rules (id, name, token_provider_id) values (gen_random_uuid(), $$x$$, gen_random_uuid())';
  const refusals: [who: DatabaseService, what: string, statement: string][] = [
    ['poller', 'to read API keys', 'select key_hash from api_clients'],
    ['ciba-worker', 'to read API keys', 'select key_hash from api_clients'],
    ['decision-service', 'to read API keys', 'select key_hash from api_clients'],
    ...(['ciba-worker', 'poller', 'decision-service'] as const).flatMap((who): [DatabaseService, string, string][] => [
      [who, 'to write rules', insert],
      [who, 'to change rules', `update rules set name = 'x'`],
      [who, 'to write versions of rules', `insert into rule_versions select * from rule_versions`],
      [who, 'to change what a rule says', `update rule_versions set definition = '{}'`],
      [who, 'to change where a provider is', `update token_providers set issuer = 'https://evil.example'`],
      [who, 'to make API clients', `update api_clients set scopes = '{admin:write}'`],
      [who, 'to redirect webhooks', `update webhook_endpoints set url = 'https://evil.example'`],
      [who, 'to make requests', `insert into authorization_requests select * from authorization_requests`],
      [who, 'to see erasures', 'select * from erasures'],
    ]),
    ...(['rules-service', 'ciba-worker', 'poller'] as const).flatMap((who): [DatabaseService, string, string][] => [
      [who, 'to make decisions', `insert into decisions select * from decisions`],
      [who, 'to change keys that sign', `update signing_keys set retired_at = now()`],
      [who, 'to seal the audit log', `insert into audit_heads select * from audit_heads`],
      [who, 'to delete requests', 'delete from authorization_requests'],
      [who, 'to delete what happened', 'delete from request_timeline'],
    ]),
    ['ciba-worker', 'to make keys that sign', `insert into signing_keys select * from signing_keys`],
    ['poller', 'to make keys that sign', `insert into signing_keys select * from signing_keys`],
    ['poller', 'to change what was asked', `update authorization_requests set attributes = ''`],
    ['ciba-worker', 'to give a request to another client', `update authorization_requests set api_client_id = id`],
    [
      'poller',
      'to send a decision elsewhere',
      `update authorization_requests set callback_url = 'https://evil.example'`,
    ],
    ['ciba-worker', 'to see webhook secrets', 'select secret from webhook_endpoints'],
    ['poller', 'to see webhook secrets', 'select secret from webhook_endpoints'],
    ['rules-service', 'to own shards', `update poller_shards set owner = 'me'`],
  ];

  it.each(refusals)('%s %s', async (who, _, statement) => {
    await expect(sql[who].query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it.each(databaseServices)('%s to touch the audit log but by adding to it', async (who) => {
    for (const table of ['audit_events', 'audit_heads']) {
      for (const statement of [
        `delete from ${table}`,
        `truncate ${table}`,
        `alter table ${table} disable trigger all`,
      ]) {
        await expect(sql[who].query(statement)).rejects.toMatchObject({ code: '42501' });
      }
    }
    await expect(sql[who].query(`update audit_events set action = 'x'`)).rejects.toMatchObject({ code: '42501' });
    await expect(sql[who].query(`update audit_heads set hash = 'x'`)).rejects.toMatchObject({ code: '42501' });
  });

  it.each(databaseServices)('%s to make, alter or drop anything', async (who) => {
    const { rows: owned } = await sql.migrator.query<{ owner: string }>(
      `select distinct tableowner as owner from pg_tables where schemaname = 'public'`,
    );
    expect(owned).toEqual([{ owner: roleOf('migrator') }]);
    const { rows: may } = await sql.migrator.query(
      `select tablename, privilege from pg_tables, unnest(array['truncate', 'references', 'trigger']) as privilege
       where schemaname = 'public' and has_table_privilege($1, 'public.' || tablename, privilege)`,
      [roleOf(who)],
    );
    expect(may).toEqual([]);
    for (const statement of [
      'create table public.mine ()',
      'create schema mine',
      'create temporary table mine ()',
      'alter table rules add column mine text',
      'drop table inbox',
      'create or replace function drop_held_answer() returns trigger language plpgsql as $$ begin return null; end $$',
      `create role mine`,
      `alter role ${roleOf('migrator')} password 'x'`,
      `set role ${roleOf('migrator')}`,
    ]) {
      await expect(sql[who].query(statement)).rejects.toMatchObject({ code: '42501' });
    }
  });
});

it('says of every table who may do what', async () => {
  const { rows } = await sql.migrator.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by tablename`,
  );
  expect(Object.keys(tablePrivileges).sort()).toEqual(rows.map((row) => row.name));
});

it('may be repeated, and takes back what somebody has given', async () => {
  const prefix = prefixOf(roles);
  await sql.migrator.query(`grant select, update (key_hash) on api_clients to ${roleOf('poller')}`);
  await createDatabaseRoles(url, { prefix });
  await expect(sql.poller.query('select from api_clients')).rejects.toMatchObject({ code: '42501' });
  await sql.migrator.query(`grant delete on audit_events to ${roleOf('rules-service')}`);
  expect(await migrate(roles.urls.migrator, { rolePrefix: prefix })).toEqual([]);
  await expect(sql['rules-service'].query('delete from audit_events')).rejects.toMatchObject({ code: '42501' });
});

it('takes no role that may do too much', async () => {
  await asAdmin(url, (admin) => admin.query(`alter role ${roleOf('poller')} createdb`));
  await expect(createDatabaseRoles(url, { prefix: prefixOf(roles) })).rejects.toThrow(roleOf('poller'));
  await asAdmin(url, (admin) => admin.query(`alter role ${roleOf('poller')} nocreatedb`));
});

async function decisionOf(database: Database, requestId: string): Promise<Decision> {
  const context = (await database.decisions.context(requestId))!;
  return {
    ...{ id: uuid(), authorizationRequestId: requestId, outcome: context.outcome!, reason: null, providerError: null },
    ...{ rule: { ...context.rule }, decidedAt: new Date().toISOString(), rejection: null, receipt: null },
    evidence: context.evidence && { ...context.evidence, amr: null },
    ...{ requestHash: context.requestHash, metadata: {} },
  };
}
