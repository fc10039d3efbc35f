import { randomUUID } from 'node:crypto';
import { noticeEnvelope, type keyPairExpiring } from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { z } from 'zod';
import { openFixture, type DatabaseFixture } from '../../../../test/support/postgres-builders.js';
import type { Database, KeyPairRow } from '../index.js';

let fixture: DatabaseFixture;
let database: Database;
let outside: Client;
beforeAll(async () => {
  fixture = await openFixture();
  ({ database } = fixture);
  outside = new Client({ connectionString: fixture.url });
  await outside.connect();
}, 60_000);
afterAll(async () => {
  await outside.end();
  await fixture.close();
}, 60_000);

const end = new Date('2031-07-01T12:00:00.000Z');
/** So many days before the end of the certificates here. */
const ahead = (days: number) => new Date(end.getTime() - days * 86_400_000);

const certified = (notAfter: Date) => ({
  certificateChainPem: ['-----BEGIN CERTIFICATE-----'],
  facts: {
    ...{ subject: 'CN=client', issuer: 'CN=CA', serialNumber: '01', keyAlgorithm: 'EC P-256' },
    notBefore: '2026-01-01T00:00:00.000Z',
    notAfter: notAfter.toISOString(),
    sha256Fingerprint: randomUUID(),
    ...{ subjectAlternativeNames: [], warnings: [] },
  },
});
async function aKeyPair(notAfter = end): Promise<KeyPairRow> {
  const created = await database.keyPairs.create({ alias: randomUUID(), privateKeyPem: 'key', ...certified(notAfter) });
  if (created.kind !== 'created') throw new Error(created.kind);
  return created.row;
}
const look = (at: Date, by = database) => by.housekeep({ now: () => at });
/** Days that were left each time when this key pair was told of. */
async function told({ id }: { id: string }): Promise<number[]> {
  const { rows } = await outside.query<{ left: number }>(
    `select (data->>'daysLeft')::integer as left from webhook_notices
     where type = 'key_pair.expiring' and data->>'id' = $1 order by id`,
    [id],
  );
  return rows.map(({ left }) => left);
}

describe('the end of a certificate', () => {
  it('is told of 30, 14, 7 and 1 days ahead, each time to those who asked for it', async () => {
    const value = { url: 'https://hooks.example/', description: null, enabled: true, secret: 'whsec_c2VjcmV0' };
    await database.webhookEndpoints.create({ ...value, events: ['key_pair.expiring'] });
    await database.webhookEndpoints.create({ ...value, events: ['decision.approved'] });
    const keyPair = await aKeyPair();
    for (let days = 33; days >= 0; days -= 0.5) await look(ahead(days));
    expect(await told(keyPair)).toEqual([30, 14, 7, 1]);

    const deliveries = await database.deliveries.claim({ limit: 100, leaseSeconds: 60 });
    const bodies = deliveries.map(({ body }) => {
      const { data } = noticeEnvelope('key_pair.expiring').parse(JSON.parse(body));
      return data as z.infer<typeof keyPairExpiring>;
    });
    const { id, alias } = keyPair;
    const notAfter = end.toISOString();
    expect(bodies.sort((a, b) => b.daysLeft - a.daysLeft)).toEqual(
      [30, 14, 7, 1].map((daysLeft) => ({ id, alias, notAfter, daysLeft })),
    );
    await database.keyPairs.delete(id, null);
    expect((await outside.query('select from key_pair_warnings where key_pair_id = $1', [id])).rowCount).toBe(0);
  });

  it('is told of once, however many look at once, and again after a restart', async () => {
    const keyPair = await aKeyPair();
    const others = [await fixture.reopen(), await fixture.reopen()];
    await Promise.all([...others, database, ...others, database].map((one) => look(ahead(29), one)));
    await look(ahead(28), await fixture.reopen());
    expect(await told(keyPair)).toEqual([29]);
  });

  it('is told of once when clocks jump, and by instances whose clocks differ', async () => {
    const keyPair = await aKeyPair();
    for (const days of [5, 29, 13, 6, 40, 5]) await look(ahead(days));
    expect(await told(keyPair)).toEqual([5]);
    await Promise.all([look(ahead(1)), look(ahead(5)), look(ahead(20))]);
    expect(await told(keyPair)).toEqual([5, 1]);
  });

  it('is told of for a certificate that comes with little time left, once, and then as usual', async () => {
    await look(ahead(12));
    const keyPair = await aKeyPair();
    for (const days of [10, 10, 9, 7, 6]) await look(ahead(days));
    expect(await told(keyPair)).toEqual([10, 7]);
  });

  it('is told of anew for a certificate that took the place of another', async () => {
    const keyPair = await aKeyPair();
    await look(ahead(0.5));
    const later = new Date(end.getTime() + 90 * 86_400_000);
    await database.keyPairs.replaceCertificate(keyPair.id, null, certified(later));
    await look(ahead(0.4));
    expect(await told(keyPair)).toEqual([1]);
    await look(ahead(-61));
    expect(await told(keyPair)).toEqual([1, 29]);
  });

  it('is told of late rather than never', async () => {
    const keyPair = await aKeyPair();
    await look(ahead(-3));
    await look(ahead(-4));
    expect(await told(keyPair)).toEqual([0]);
  });

  it('is told of for more key pairs than are looked at in one portion', async () => {
    const many = await Promise.all(Array.from({ length: 130 }, () => aKeyPair(ahead(-365))));
    await look(ahead(-340));
    await look(ahead(-340));
    const { rows } = await outside.query<{ id: string }>(
      `select data->>'id' as id from webhook_notices where data->>'daysLeft' = '25' and data->>'id' = any ($1)`,
      [many.map(({ id }) => id)],
    );
    expect(rows.map(({ id }) => id).sort()).toEqual(many.map(({ id }) => id).sort());
  });
});
