import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { Rule, TokenProvider } from '#lib/contracts';
import { AssentClient } from './support/assent-client.js';
import { prepareComposition, type Composition } from './support/composition.js';
import { startScriptedProvider, type ScriptedProvider } from './support/scripted-provider.js';

/**
 * A version works on while the migrations of the next one run under it, until the schema says that it carries this
 * version no more. That the version before this one works on the newest schema is shown by its recorded statements
 * (libs/persistence/src/releases).
 */
describe('the migration of a next version', () => {
  let provider: ScriptedProvider;
  let composition: Composition;
  let assent: AssentClient;
  let client: Client;
  let approving: NodeJS.Timeout;

  beforeAll(async () => {
    provider = await startScriptedProvider({ intervalSeconds: 1 });
    composition = await prepareComposition('standalone');
    await composition.start();
    client = new Client({ connectionString: composition.databaseUrl });
    await client.connect();
    assent = new AssentClient(composition.url, composition.apiKey);
    const { id } = await assent.create<TokenProvider>('token-providers', { name: 'P', issuer: provider.issuer });
    await assent.create<Rule>('rules', {
      name: 'Pay',
      type: 'one-time-authorization',
      tokenProviderId: id,
      clientId: 'client',
      clientCredentials: { type: 'secret', clientSecret: 'a secret' },
      loginHintAttribute: 'email',
    });
    approving = setInterval(() => {
      for (const { state, authReqId } of provider.requests) if (state === 'pending') provider.approve(authReqId);
    }, 50);
  }, 240_000);
  afterAll(async () => {
    clearInterval(approving);
    await client?.end();
    await composition?.stop();
    await provider?.stop();
  }, 120_000);

  const later = 9_000_000_000_000;
  /** As `migrate` runs a migration: when its locks cross those of a request, and the server gives it up, it begins again. */
  const migrated = async (): Promise<void> => {
    for (;;) {
      try {
        return await expand();
      } catch (error) {
        await client.query('rollback');
        if ((error as { code?: string }).code !== '40P01') throw error;
      }
    }
  };
  /** What an additive migration may do: columns, tables, indexes, wider checks. */
  const expand = async (): Promise<void> => {
    const { rows } = await client.query<{ name: string }>(
      `select table_name as name from information_schema.tables
       where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not in ('migrations', 'schema_floor')`,
    );
    expect(rows.length).toBeGreaterThan(10);
    await client.query('begin');
    for (const { name } of rows) {
      await client.query(
        `alter table "${name}" add column later_a text, add column later_b integer not null default 7`,
      );
    }
    await client.query('create table later (id uuid primary key, about uuid references authorization_requests (id))');
    await client.query('create index later_ix on authorization_requests (later_b)');
    await client.query('insert into migrations (timestamp, name) values ($1, $2)', [later, `Later${later}`]);
    await client.query('commit');
  };

  it('adds to the schema under requests that are under way, and nobody notices', async () => {
    let going = true;
    const troubles: unknown[] = [];
    let used = 0;
    const customer = async (name: string): Promise<void> => {
      while (going) {
        const { status, body } = await assent.submit({ rule: 'Pay', attributes: { email: `${name}@example.com` } });
        if (status !== 202) return void troubles.push({ status, body });
        const { status: end } = await assent.decided(body.id);
        const { status: consumed } = await assent.consume(body.id);
        if (end !== 'approved' || consumed !== 200) return void troubles.push({ end, consumed });
        used++;
      }
    };
    const customers = ['alice', 'bob', 'carol'].map((name) =>
      customer(name).catch((error: unknown) => void troubles.push(error)),
    );
    const usedSince = async (count: number): Promise<void> => {
      const before = used;
      while (used < before + count && troubles.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await usedSince(3);
    await migrated();
    await usedSince(6);
    going = false;
    await Promise.all(customers);

    expect(troubles).toEqual([]);
    const { rows } = await client.query<{ known: number }>(
      `select count(*)::integer as known from authorization_requests where later_b = 7`,
    );
    expect(rows[0]!.known).toBe(provider.requests.length);
    expect((await composition.process('rules-service').until(({ status }) => status === 'ready')).status).toBe('ready');
  }, 240_000);

  it('is no obstacle to a start of the version before it', async () => {
    await composition.process('rules-service').restart();
    const { body } = await assent.submit({ rule: 'Pay', attributes: { email: 'dave@example.com' } });
    expect(await assent.decided(body.id)).toMatchObject({ status: 'approved' });
  }, 240_000);

  it('that raises the floor takes readiness away', async () => {
    const { rows } = await client.query<{ level: string }>('select level from schema_floor');
    const service = composition.process('rules-service');
    await client.query('update schema_floor set level = $1', [later]);
    const { checks } = await service.until(({ status }) => status === 'not-ready');
    expect(checks.find(({ name }) => name === 'migrations')).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^the schema has moved on/),
    });
    // It still answers whoever is with it, until its balancer has noticed.
    const { status } = await assent.submit({ rule: 'Pay', attributes: { email: 'erin@example.com' } });
    expect(status).toBe(202);
    await client.query('update schema_floor set level = $1', [rows[0]!.level]);
    await service.untilReady();
  }, 240_000);
});
