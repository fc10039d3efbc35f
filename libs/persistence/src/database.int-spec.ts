import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { freshDatabase, startPostgres, type FreshDatabase, type TestPostgres } from '../../../test/support/postgres.js';
import {
  approve,
  aProvider,
  aRequest,
  aRule,
  clientDefaults,
  type DatabaseFixture,
  openFixture,
  pending,
} from '../../../test/support/postgres-builders.js';
import { connect } from './connection.js';
import { Database, generateMasterKey, isUnavailable, migrate, type StoredEvent } from './index.js';
import { migrations } from './migrations/index.js';

const masterKeys = generateMasterKey();
const open = (url: string, over: Partial<Parameters<typeof Database.open>[0]> = {}) =>
  Database.open({ url, masterKeys, source: '/assent/test', ...over });

async function asAdmin<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

describe('opening a database', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await freshDatabase();
  });
  afterAll(() => fresh.drop());

  it('refuses one whose migrations are missing, and says which', async () => {
    const empty = `empty_${randomBytes(6).toString('hex')}`;
    await asAdmin(fresh.url, (admin) => admin.query(`create database ${empty}`));
    const url = new URL(fresh.url);
    url.pathname = `/${empty}`;
    await expect(open(url.href)).rejects.toMatchObject({
      name: 'UnsafeDatabase',
      message: expect.stringContaining('Initial1760000000000') as unknown,
    });
    expect(await migrate(url.href)).toEqual(migrations.map(({ name }) => name));
    await (await open(url.href)).close();
    await asAdmin(fresh.url, (admin) => admin.query(`drop database ${empty} with (force)`));
  });

  it('migrates once when many processes migrate together', async () => {
    const empty = `empty_${randomBytes(6).toString('hex')}`;
    await asAdmin(fresh.url, (admin) => admin.query(`create database ${empty}`));
    const url = new URL(fresh.url);
    url.pathname = `/${empty}`;
    const runs = await Promise.all(Array.from({ length: 4 }, () => migrate(url.href)));
    expect(runs.filter((names) => names.length > 0)).toHaveLength(1);
    await asAdmin(fresh.url, (admin) => admin.query(`drop database ${empty} with (force)`));
  });

  it.each([
    ['synchronous_commit', 'off'],
    ['default_transaction_isolation', 'serializable'],
  ])('refuses %s = %s', async (setting, value) => {
    const name = new URL(fresh.url).pathname.slice(1);
    await asAdmin(fresh.url, (admin) => admin.query(`alter database ${name} set ${setting} = '${value}'`));
    await expect(open(fresh.url)).rejects.toMatchObject({
      name: 'UnsafeDatabase',
      message: expect.stringContaining(setting) as unknown,
    });
    await asAdmin(fresh.url, (admin) => admin.query(`alter database ${name} reset ${setting}`));
  });

  it('notices a wrong master key at once, and opens with old and new key together', async () => {
    await (await open(fresh.url)).close();
    const sameIdOtherKey = generateMasterKey();
    await expect(open(fresh.url, { masterKeys: sameIdOtherKey })).rejects.toMatchObject({
      name: 'MasterKeyMismatch',
      message: expect.stringContaining('"k1"') as unknown,
    });
    const fresher = `k2:${randomBytes(32).toString('base64')}`;
    await expect(open(fresh.url, { masterKeys: fresher })).rejects.toMatchObject({ name: 'MasterKeyMismatch' });
    // Who was refused has left no key behind that the others would now lack.
    await (await open(fresh.url)).close();
    await (await open(fresh.url, { masterKeys: `${fresher},${masterKeys}` })).close();
    await expect(open(fresh.url)).rejects.toMatchObject({ message: expect.stringContaining('"k2"') as unknown });
  });

  it('stops trying when it is told to', async () => {
    const told: string[] = [];
    const stop = new AbortController();
    const opening = open('postgres://nobody:x@127.0.0.1:1/none', {
      signal: stop.signal,
      log: (_, message) => {
        told.push(message);
        stop.abort();
      },
    });
    await expect(opening).rejects.toThrow();
    expect(told).toHaveLength(1);
  });

  it('says at once when the password is wrong', async () => {
    const url = new URL(fresh.url);
    url.password = 'wrong';
    const refused = await open(url.href).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Error);
    expect(isUnavailable(refused)).toBe(false);
    expect(String(refused)).not.toContain('wrong');
  });
});

it('breaks off the very first connection while somebody has it: the process lives', async () => {
  const fresh = await freshDatabase();
  const { dataSource, pool } = await connect({
    url: fresh.url,
    applicationName: 'test',
    poolSize: 1,
    log: () => undefined,
  });
  const client = await pool.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const over = new Promise((resolve) => client.once('end', resolve));
  await asAdmin(fresh.url, (admin) => admin.query('select pg_terminate_backend($1)', [rows[0]!.pid]));
  await over;
  client.release(true);
  await dataSource.destroy();
  await fresh.drop();
});

describe('a server that dies', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  it('loses nothing that was acknowledged; the process goes on without a restart', async () => {
    const fresh = await postgres.freshDatabase();
    const database = await open(fresh.url);
    const provider = await aProvider(database);
    const rule = await aRule(database, { tokenProviderId: provider.id });
    const acknowledged: string[] = [];
    let submitting = true;
    const load = Array.from({ length: 20 }, async () => {
      while (submitting) {
        const request = aRequest(rule);
        try {
          await database.requests.submit(request);
          acknowledged.push(request.id);
        } catch (error) {
          expect(isUnavailable(error)).toBe(true);
          // Yields to the others; a refused connection answers at once.
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    });
    while (acknowledged.length < 200) await database.ping();
    await postgres.kill9();
    const refused = await database.ping().catch((error: unknown) => error);
    expect(isUnavailable(refused)).toBe(true);
    expect(isUnavailable(await database.rules.find(rule.id).catch((error: unknown) => error))).toBe(true);

    const before = acknowledged.length;
    await postgres.restart();
    while (acknowledged.length < before + 100) await new Promise((resolve) => setTimeout(resolve, 5));
    submitting = false;
    await Promise.all(load);

    expect(await database.rules.find(rule.id)).toMatchObject({ id: rule.id });
    const found = new Set((await database.requests.states(acknowledged)).map(({ id }) => id));
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
    await database.close();
  });

  it('may be away when the process starts', async () => {
    const fresh = await postgres.freshDatabase();
    await postgres.kill9();
    let waits: () => void;
    const waiting = new Promise<void>((resolve) => (waits = resolve));
    const opening = open(fresh.url, { log: () => waits() });
    await waiting;
    await postgres.restart();
    const database = await opening;
    await database.ping();
    await database.close();
  });
});

describe('what is stored', () => {
  let fixture: DatabaseFixture;
  beforeAll(async () => {
    fixture = await openFixture();
  });
  afterAll(() => fixture.close());

  it('shows no secret in any column of any table (R48, R110)', async () => {
    const { database, rule, provider } = fixture;
    const canary = (name: string) => `canary-${name}-${randomUUID()}`;
    const canaries = {
      hint: canary('hint'),
      attribute: canary('attribute'),
      userCode: canary('user-code'),
      authReqId: canary('auth-req-id'),
      token: canary('token'),
      held: canary('held'),
      clientSecret: canary('client-secret'),
      privateKey: canary('private-key'),
      webhook: canary('webhook'),
      callback: canary('callback'),
    };
    const secrets = {
      loginHint: canaries.hint,
      attributes: { email: canaries.hint, account: canaries.attribute },
      userCode: canaries.userCode,
    };
    const dumps: string[] = [];
    const dump = async () => dumps.push(await dumpEverything(fixture.url));

    await database.requests.submit(aRequest(rule, secrets));
    const id = await pending(database, rule, { authReqId: canaries.authReqId, request: secrets });
    await database.requests.holdAnswer(id, { idToken: canaries.held });
    await database.rules.create({
      definition: { ...rule.definition, name: 'another', tokenProviderId: provider.id },
      clientSecret: canaries.clientSecret,
    });
    await database.keyPairs.create({
      alias: 'pair',
      certificateChainPem: ['certificate'],
      privateKeyPem: canaries.privateKey,
      facts: {} as never,
    });
    await database.webhookEndpoints.create({
      url: 'https://hook.example',
      events: [],
      description: null,
      enabled: true,
      secret: canaries.webhook,
    });
    await database.apiClients.create({
      name: 'client',
      scopes: [],
      ...clientDefaults,
      keyHash: Buffer.alloc(32),
      keyPrefix: 'p',
      callbackSecret: canaries.callback,
    });
    await database.signingKeys.ensure();
    await dump();
    const releasedToken = { value: canaries.token, tokenType: 'Bearer', expiresAt: null, scope: 'openid' };
    await database.requests.change(id, approve({ releasedToken }));
    await dump();

    const everything = dumps.join('\n');
    // The dump is worth something: it holds what is meant to be readable.
    expect(everything).toContain('https://hook.example');
    for (const value of [...Object.values(canaries), 'PRIVATE KEY']) {
      for (const form of [
        value,
        Buffer.from(value).toString('base64').slice(0, -4),
        Buffer.from(value).toString('hex'),
      ]) {
        expect(everything.includes(form)).toBe(false);
      }
    }
  });

  it('opens no hint that was copied from another request', async () => {
    const { database, rule } = fixture;
    const [own, foreign] = [aRequest(rule), aRequest(rule)];
    await Promise.all([own, foreign].map((request) => database.requests.submit(request)));
    await asAdmin(fixture.url, (admin) =>
      admin.query(
        `update authorization_requests set login_hint = (select login_hint from authorization_requests where id = $2) where id = $1`,
        [own.id, foreign.id],
      ),
    );
    expect(await database.requests.startWork(own.id)).toMatchObject({ sealed: true });
    expect(await database.requests.startWork(foreign.id)).toMatchObject({ loginHint: 'alice@example.com' });
  });

  it('prunes all that has served its time, however much it is', async () => {
    const { database } = fixture;
    await asAdmin(fixture.url, (admin) =>
      admin.query(
        `insert into inbox (consumer, event_id, handled_at)
         select 'test', n::text, clock_timestamp() - interval '8 days' from generate_series(1, 25000) as n`,
      ),
    );
    await database.housekeep();
    const left = await asAdmin(fixture.url, (admin) => admin.query(`select from inbox where consumer = 'test'`));
    expect(left.rowCount).toBe(0);
  });

  it('purges access tokens when their time is over, and only then', async () => {
    const { database, rule } = fixture;
    const token = (expiresAt: Date | null) => ({ value: 'token', tokenType: 'Bearer', expiresAt, scope: 'openid' });
    const approved = async (expiresAt: Date | null) => {
      const id = await pending(database, rule);
      await database.requests.change(id, approve({ releasedToken: token(expiresAt) }));
      await database.requests.change(id, { type: 'consume', by: 'client', key: null });
      return id;
    };
    const [expired, valid, endless] = [
      await approved(new Date(Date.now() - 1000)),
      await approved(new Date(Date.now() + 600_000)),
      await approved(null),
    ];
    await database.housekeep();
    const kept = await asAdmin(fixture.url, (admin) =>
      admin.query<{ id: string }>('select id from authorization_requests where released_token is not null'),
    );
    const ids = kept.rows.map(({ id }) => id);
    expect([expired, valid, endless].map((id) => ids.includes(id))).toEqual([false, true, true]);
    expect((await database.requests.consumed(valid, null))!.accessToken).toMatchObject({ value: 'token' });
    expect((await database.requests.consumed(expired, null))!.accessToken).toBeNull();
  });
});

describe('the outbox', () => {
  let fixture: DatabaseFixture;
  beforeAll(async () => {
    fixture = await openFixture();
  });
  afterAll(() => fixture.close());

  const submit = async (count: number) => {
    const ids: string[] = [];
    const listener = (events: readonly StoredEvent[]) => void ids.push(...events.map(({ id }) => id));
    fixture.database.onEvents(listener);
    await Promise.all(Array.from({ length: count }, () => fixture.database.requests.submit(aRequest(fixture.rule))));
    return ids;
  };
  const all = { limit: 1000, olderThanMs: 0 };

  it('hands each event to one of two sweeps that run at once', async () => {
    const other = await fixture.reopen();
    const stored = await submit(50);
    const claimed: string[][] = [[], []];
    // Neither ends before both have claimed.
    let both = 0;
    let meet: () => void;
    const met = new Promise<void>((resolve) => (meet = resolve));
    await Promise.all(
      [fixture.database, other].map((database, index) =>
        database.outbox.sweep({ limit: 25, olderThanMs: 0 }, async (events) => {
          claimed[index]!.push(...events.map(({ id }) => id));
          if (++both === 2) meet();
          await met;
          return claimed[index]!;
        }),
      ),
    );
    expect(claimed.map((ids) => ids.length)).toEqual([25, 25]);
    expect(new Set(claimed.flat())).toEqual(new Set(stored));
    expect(await other.outbox.sweep(all, () => Promise.resolve([]))).toBe(0);
  });

  it('gives again what was not published, and nothing that was settled', async () => {
    const stored = await submit(4);
    await fixture.database.outbox.settle([stored[0]!]);
    const seen: string[] = [];
    const sweep = (publish: (ids: string[]) => string[]) =>
      fixture.database.outbox.sweep(all, (events) => {
        const ids = events.map(({ id }) => id);
        seen.push(...ids);
        return Promise.resolve(publish(ids));
      });
    expect(await sweep((ids) => ids.filter((id) => id === stored[1]))).toBe(3);
    expect(await sweep(() => [])).toBe(2);
    await expect(
      sweep(() => {
        throw new Error('the broker is away');
      }),
    ).rejects.toThrow('away');
    expect(await sweep((ids) => ids)).toBe(2);
    expect(await sweep((ids) => ids)).toBe(0);
    expect(seen).not.toContain(stored[0]);
  });

  it('leaves young events to the process that has them in memory', async () => {
    await submit(1);
    expect(await fixture.database.outbox.sweep({ limit: 10, olderThanMs: 60_000 }, () => Promise.resolve([]))).toBe(0);
  });

  it('does not wait for a sweep that holds the rows which it settles', async () => {
    const other = await fixture.reopen();
    const stored = await submit(1);
    await fixture.database.outbox.sweep(all, async (events) => {
      await other.outbox.settle(stored);
      return events.map(({ id }) => id);
    });
    expect(await other.outbox.sweep(all, () => Promise.resolve([]))).toBe(0);
  });

  it('keeps a commit a success when a listener fails', async () => {
    fixture.database.onEvents(() => {
      throw new Error('listener');
    });
    expect(await fixture.database.requests.submit(aRequest(fixture.rule))).toMatchObject({ kind: 'created' });
  });
});

/** Every row of every table, as text and, for bytes, as what they may spell. */
async function dumpEverything(url: string): Promise<string> {
  return asAdmin(url, async (admin) => {
    const { rows: tables } = await admin.query<{ name: string }>(
      `select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
    );
    const texts: string[] = [];
    for (const { name } of tables) {
      const { rows } = await admin.query<Record<string, unknown>>(`select * from ${name}`);
      for (const row of rows) {
        for (const value of Object.values(row)) {
          texts.push(
            Buffer.isBuffer(value) ? `${value.toString('latin1')} ${value.toString('hex')}` : JSON.stringify(value),
          );
        }
      }
    }
    return texts.join('\n');
  });
}
