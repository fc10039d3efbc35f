import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { freshDatabase, type FreshDatabase } from '../../../../test/support/postgres.js';
import { aProvider, aRule, clientDefaults, pending, submitted } from '../../../../test/support/postgres-builders.js';
import { Database, MasterKeyMismatch, type PersistenceLog } from '../index.js';
import { Sealing } from '../sealing.js';
import { sealedTables } from './sealed-columns.js';

const [one, two] = ['k1', 'k2'].map((id) => `${id}:${randomBytes(32).toString('base64')}`) as [string, string];

describe('master keys', () => {
  let fresh: FreshDatabase;
  let client: Client;
  const opened: Database[] = [];
  const lines: string[] = [];
  const log: PersistenceLog = (_, message, detail) => void lines.push(JSON.stringify({ message, ...detail }));
  const open = async (masterKeys: string): Promise<Database> => {
    const database = await Database.open({ url: fresh.url, masterKeys, source: '/assent/test', log });
    opened.push(database);
    return database;
  };
  beforeEach(async () => {
    fresh = await freshDatabase();
    client = new Client({ connectionString: fresh.url });
    await client.connect();
    lines.length = 0;
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.close()));
    await client.end();
    await fresh.drop();
  });
  const rows = async <Row extends object>(text: string, values: unknown[] = []) =>
    (await client.query<Row>(text, values)).rows;
  const sealing = Sealing.parse(`${one},${two}`);

  it('seal what the list of sealed columns says, and nothing else', async () => {
    const columns = await rows<{ name: string }>(
      `select table_name || '.' || column_name as name from information_schema.columns
        where table_schema = 'public' and data_type = 'bytea'`,
    );
    // Digests and keyed hashes, and the checks by which the keys themselves are known.
    const others = /(_hash|_sha256|_key|body_hash|sealed_check)$/;
    const sealed = sealedTables.flatMap(({ table, columns: own }) => own.map((column) => `${table}.${column}`));
    const unknown = columns.map(({ name }) => name).filter((name) => !sealed.includes(name));
    expect(unknown.filter((name) => !others.test(name))).toEqual([]);
    expect(sealed.filter((name) => !columns.some((column) => column.name === name))).toEqual([]);
  });

  /** Something sealed in every column. */
  async function fill(database: Database): Promise<{ rule: { id: string; version: number }; request: string }> {
    await database.signingKeys.ensure();
    await database.encryptionKeys.ensure();
    const provider = await aProvider(database);
    const rule = await aRule(database, { tokenProviderId: provider.id });
    await database.rules.update(rule.id, null, { definition: rule.definition, clientSecret: null });
    await database.apiClients.create({
      ...{ name: randomUUID(), scopes: ['requests:read'], ...clientDefaults },
      ...{ keyHash: randomBytes(32), keyPrefix: 'assent_1234', callbackSecret: 'whsec_callback' },
    });
    await database.webhookEndpoints.create({
      ...{ url: 'https://sink.example', events: ['decision.approved'], description: null, enabled: true },
      secret: 'whsec_endpoint',
    });
    const request = await pending(database, rule, { request: { userCode: '1234' } });
    await database.requests.holdAnswer(request, { idToken: 'held' });
    return { rule: { id: rule.id, version: 2 }, request };
  }
  const usesOf = async (database: Database) =>
    new Map((await database.masterKeys.list()).map((use) => [use.id, use] as const));

  it('change while everything goes on, and the old one can be taken out', async () => {
    const { rule, request } = await fill(await open(one));
    const database = await open(`${two},${one}`);
    const before = await usesOf(database);
    expect(before.get('k1')).toMatchObject({ state: 'opens', resealedAt: null, openRequests: 1 });
    expect(before.get('k1')!.sealedValues).toBeGreaterThan(12);
    expect(await database.masterKeys.forget('k1')).toMatchObject({ kind: 'in-use' });
    expect(await database.masterKeys.forget('k2')).toEqual({ kind: 'active' });

    const resealed = await database.masterKeys.resealRest();
    // The lookup key was sealed anew when the process started.
    expect(resealed).toBe(before.get('k1')!.sealedValues);
    expect(await database.masterKeys.resealRest()).toBe(0);
    const events = await database.audit.list({ limit: 100, action: 'master-key.resealed' });
    expect(events.data.map(({ detail }) => detail)).toEqual([{ values: resealed }]);
    const after = (await usesOf(database)).get('k1')!;
    expect(after).toMatchObject({ sealedValues: 0, openRequests: 1, resealedAt: expect.any(Date) });
    expect(await database.masterKeys.forget('k1')).toEqual({ kind: 'in-use', sealedValues: 0, openRequests: 1 });
    await database.requests.change(request, { type: 'cancel', by: 'client' });
    expect(await database.masterKeys.forget('k1')).toEqual({ kind: 'forgotten' });
    expect(await database.masterKeys.forget('k1')).toEqual({ kind: 'not-found' });

    // Without the old key everything opens.
    const alone = await open(two);
    expect((await alone.registrations.load(rule)).credentials).toMatchObject({ type: 'secret' });
    expect(await alone.requests.attributes(request, null)).toMatchObject({ email: expect.any(String) });
    expect(await alone.signingKeys.choice('client-assertion')).toHaveLength(2);
    expect(await alone.encryptionKeys.decryption()).toHaveLength(2);
    expect((await alone.masterKeys.list()).map(({ id }) => id)).toEqual(['k2']);
    await expect(open(one)).rejects.toBeInstanceOf(MasterKeyMismatch);
  });

  it('are sealed anew by whoever has the newest one only, while two are active', async () => {
    const older = await open(`${one},${two}`);
    await fill(older);
    const newer = await open(`${two},${one}`);
    expect(await older.masterKeys.resealRest()).toBe(0);
    expect(await newer.masterKeys.resealRest()).toBeGreaterThan(10);
    expect(await older.masterKeys.resealRest()).toBe(0);
  });

  it('goes on where it was ended, and past what does not open or what somebody holds', async () => {
    const first = await open(one);
    await fill(first);
    const provider = await aProvider(first);
    const rule = await aRule(first, { tokenProviderId: provider.id });
    await Promise.all(Array.from({ length: 120 }, () => submitted(first, rule)));
    const [broken, held] = (
      await rows<{ id: string }>('select id from authorization_requests order by id limit 2')
    ).map(({ id }) => id);
    await rows(`update authorization_requests set login_hint = '\\x0102' where id = $1`, [broken]);
    await client.query('begin');
    await rows('select from authorization_requests where id = $1 for update', [held]);

    const database = await open(`${two},${one}`);
    const stopped = AbortSignal.abort();
    expect(await database.masterKeys.resealRest(stopped)).toBe(0);
    expect((await usesOf(database)).get('k1')!.resealedAt).toBeNull();
    await database.masterKeys.resealRest();
    expect(lines.join()).toContain('Sealed values do not open with any master key');
    const left = async () => {
      const stored = await rows<{ id: string; attributes: Buffer }>(
        'select id, attributes from authorization_requests',
      );
      return stored.filter(({ attributes }) => sealing.keyIdOf(attributes) === 'k1').map(({ id }) => id);
    };
    expect(await left()).toEqual([held]);
    await client.query('rollback');
    await database.masterKeys.resealRest();
    expect(await left()).toEqual([]);
  });
});

describe('an encryption key that does not open', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await freshDatabase();
  });
  afterAll(() => fresh.drop());

  it('does not take the other ones, nor any registration, with it', async () => {
    const lines: string[] = [];
    const log: PersistenceLog = (_, message) => void lines.push(message);
    const database = await Database.open({ url: fresh.url, masterKeys: one, source: '/assent/test', log });
    await database.encryptionKeys.ensure();
    const rule = await aRule(database, { tokenProviderId: (await aProvider(database)).id });
    const client = new Client({ connectionString: fresh.url });
    await client.connect();
    await client.query(`update encryption_keys set private_key = '\\x00' where alg = 'ECDH-ES'`);
    await client.end();
    const { decryptionKeys } = await database.registrations.load({ id: rule.id, version: 1 });
    expect(decryptionKeys.map(({ alg }) => alg)).toEqual(['RSA-OAEP-256']);
    expect(lines).toContain('Encryption keys do not open; ID tokens encrypted to them cannot be read');
    await database.close();
  });
});
