import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { aRule, openFixture, type DatabaseFixture } from '../../../../test/support/postgres-builders.js';
import type { Database } from '../index.js';

const daySeconds = 86_400;
const rotation = { everySeconds: 30 * daySeconds, publishedAheadSeconds: 600, retiredForSeconds: daySeconds };

describe('the signing keys', () => {
  let fixture: DatabaseFixture;
  let database: Database;
  let sql: Client;
  beforeAll(async () => {
    fixture = await openFixture();
    ({ database } = fixture);
    sql = new Client({ connectionString: fixture.url });
    await sql.connect();
  });
  afterAll(async () => {
    await sql.end();
    await fixture.close();
  });

  const published = async () => (await database.signingKeys.publicJwks()).keys.map(({ kid }) => kid);
  const used = async (of: Database = database) =>
    (await Promise.all((['client-assertion', 'request-object'] as const).map((use) => of.signingKeys.choice(use))))
      .flat()
      .map(({ kid }) => kid);
  /** Lets time pass for every key. */
  const pass = (seconds: number) =>
    sql.query(
      `update signing_keys set created_at = created_at - make_interval(secs => $1),
        activated_at = activated_at - make_interval(secs => $1), retired_at = retired_at - make_interval(secs => $1)`,
      [seconds],
    );

  it('are one for each use and algorithm, however many instances start together', async () => {
    const others = await Promise.all([fixture.reopen(), fixture.reopen()]);
    await Promise.all([database, ...others].map(({ signingKeys }) => signingKeys.ensure()));
    const { keys } = await database.signingKeys.publicJwks();
    expect(keys.map(({ alg }) => alg).sort()).toEqual(['ES256', 'ES256', 'ES256', 'EdDSA', 'EdDSA', 'PS256', 'PS256']);
    for (const secret of ['d', 'p', 'q']) expect(keys.some((key) => secret in key)).toBe(false);
    for (const use of ['client-assertion', 'request-object', 'receipt', 'callback', 'audit'] as const) {
      const current = await Promise.all([database, ...others].map(({ signingKeys }) => signingKeys.current(use)));
      expect(new Set(current.map(({ kid }) => kid)).size).toBe(1);
      expect(keys.map(({ kid }) => kid)).toContain(current[0]!.kid);
    }
  });

  it('are followed by keys that were published long before, and stay published for a while after', async () => {
    const before = await used();
    const receipt = await database.signingKeys.current('receipt');

    expect(await database.signingKeys.rotate(rotation)).toBe(0);
    const ahead = (await published()).filter((kid) => !before.includes(kid as string));
    expect(await used()).toEqual(before);
    expect(await published()).toHaveLength(11);

    const lives = await database.signingKeys.lives();
    expect(lives.map(({ kid }) => kid).sort()).toEqual([...(await published())].sort());
    const signing = lives.filter(({ activatedAt, retiredAt }) => activatedAt !== null && retiredAt === null);
    expect(signing.map(({ kid }) => kid)).toEqual(expect.arrayContaining(before));
    const next = lives.filter(({ activatedAt }) => activatedAt === null).map(({ kid }) => kid);
    expect(next).toHaveLength(4);
    expect(ahead).toEqual(expect.arrayContaining(next));

    await pass(rotation.everySeconds);
    expect(await database.signingKeys.rotate(rotation)).toBe(4);
    const after = await used();
    expect(after).toHaveLength(4);
    expect(ahead).toEqual(expect.arrayContaining(after));
    const events = await sql.query(
      `select resource_id, detail->>'replaced' as replaced, actor_type from audit_events where action = 'signing-key.rotated'`,
    );
    expect(events.rows.map((row: { resource_id: string }) => row.resource_id).sort()).toEqual([...after].sort());
    expect(events.rows.map((row: { replaced: string }) => row.replaced).sort()).toEqual([...before].sort());
    expect(await published()).toEqual(expect.arrayContaining([...before, ...after]));
    // The next ones are there again.
    expect(await published()).toHaveLength(15);
    expect(await database.signingKeys.current('receipt')).toEqual(receipt);

    await pass(rotation.retiredForSeconds + 1);
    expect(await database.signingKeys.rotate(rotation)).toBe(0);
    const left = await published();
    expect(left.filter((kid) => before.includes(kid as string))).toEqual([]);
    expect(left).toEqual(expect.arrayContaining([...after, receipt.kid]));
  });

  it('wait until they have been published for long enough, however late the change is', async () => {
    await sql.query('delete from signing_keys where activated_at is null');
    await pass(10 * rotation.everySeconds);
    const before = await used();
    expect(await database.signingKeys.rotate(rotation)).toBe(0);
    await pass(rotation.publishedAheadSeconds - 10);
    expect(await database.signingKeys.rotate(rotation)).toBe(0);
    expect(await used()).toEqual(before);
    await pass(20);
    expect(await database.signingKeys.rotate(rotation)).toBe(4);
  });

  it('change once, however many instances change them together', async () => {
    const others = await Promise.all([fixture.reopen(), fixture.reopen()]);
    await pass(rotation.everySeconds);
    const counts = await Promise.all([database, ...others].map(({ signingKeys }) => signingKeys.rotate(rotation)));
    expect(counts.toSorted()).toEqual([0, 0, 4]);
    const { rows } = await sql.query<{ retired: string }>(
      `select count(*) as retired from signing_keys where retired_at > clock_timestamp() - interval '1 hour'`,
    );
    expect(rows).toEqual([{ retired: '4' }]);
  });

  it('make a registration another one when they change', async () => {
    const rule = await aRule(database, {
      tokenProviderId: fixture.provider.id,
      clientCredentials: { type: 'private-key-jwt' },
    });
    const [before, fresh] = [await database.registrations.load(rule), await fixture.reopen()];
    await pass(rotation.everySeconds);
    await fresh.signingKeys.rotate(rotation);
    const after = await (await fixture.reopen()).registrations.load(rule);
    expect(after.credentials.type).toBe('private-key-jwt');
    expect(after.key).not.toBe(before.key);
  });
});
