import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { denialReasons, failureReasons, moves, outcomes, statuses, type Status } from '#lib/domain';
import { Client } from 'pg';
import {
  approve,
  openFixture,
  pending,
  submitted,
  type DatabaseFixture,
} from '../../../test/support/postgres-builders.js';
import { describeSchema } from '../../../test/support/postgres-schema.js';
import { migrate } from './index.js';

describe('the schema', () => {
  let fixture: DatabaseFixture;
  let client: Client;
  beforeAll(async () => {
    fixture = await openFixture();
    client = new Client({ connectionString: fixture.url });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await fixture.close();
  });

  const checkOf = async (name: string): Promise<string> =>
    (
      await client.query<{ text: string }>(
        'select pg_get_constraintdef(oid) as text from pg_constraint where conname = $1',
        [name],
      )
    ).rows[0]!.text;
  const literals = (text: string): string[] => [...text.matchAll(/'([^']+)'::text/g)].map((match) => match[1]!);

  it('is the one that docs/schema.sql shows (UPDATE_SCHEMA=1 writes it)', async () => {
    const file = new URL('../../../docs/schema.sql', import.meta.url);
    const text = await describeSchema(fixture.url);
    if (process.env['UPDATE_SCHEMA'] === '1') await writeFile(file, text);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('knows the statuses and the outcomes of the domain', async () => {
    expect(literals(await checkOf('authorization_requests__status_check'))).toEqual([...statuses]);
    expect(literals(await checkOf('decisions__outcome_check'))).toEqual([...outcomes]);
    expect(literals(await checkOf('authorization_requests__ended_at_check'))).toEqual([...outcomes]);
  });

  it('knows the reasons of the domain', async () => {
    const named = literals(await checkOf('authorization_requests__reason_check'));
    expect(named.filter((word) => word !== 'failed' && word !== 'denied').sort()).toEqual(
      [...failureReasons, ...denialReasons].sort(),
    );
  });

  it('allows the moves of the domain and no other', async () => {
    const { rows } = await client.query<{ from: Status; to: Status; legal: boolean }>(
      `select a as "from", b as "to", authorization_request_may_move(a, b) as legal
        from unnest($1::text[]) a cross join unnest($1::text[]) b`,
      [statuses],
    );
    expect(rows).toHaveLength(statuses.length ** 2);
    for (const { from, to, legal } of rows) {
      expect({ from, to, legal }).toEqual({ from, to, legal: (moves[from] as readonly Status[]).includes(to) });
    }
  });

  it('never lets an ended request change its status, whoever asks', async () => {
    const id = await submitted(fixture.database, fixture.rule);
    await fixture.database.requests.change(id, { type: 'cancel', by: 'client' });
    for (const to of statuses.filter((status) => status !== 'cancelled')) {
      await expect(
        client.query('update authorization_requests set status = $2, state_version = 99 where id = $1', [id, to]),
      ).rejects.toThrow(/cannot become/);
    }
  });

  it('never lets a consumption be undone or repeated', async () => {
    const id = await pending(fixture.database, fixture.rule);
    await fixture.database.requests.change(id, approve());
    await fixture.database.requests.change(id, { type: 'consume', by: 'client', key: null });
    for (const value of ['null', 'clock_timestamp()']) {
      await expect(
        client.query(`update authorization_requests set consumed_at = ${value} where id = $1`, [id]),
      ).rejects.toThrow(/consumed already/);
    }
  });

  it('takes no request that begins anywhere but at the beginning, and no approval without evidence', async () => {
    const id = await pending(fixture.database, fixture.rule);
    await expect(
      client.query(
        `insert into authorization_requests select (jsonb_populate_record(r, '{"id": "00000000-0000-4000-8000-000000000000"}')).*
          from authorization_requests r where id = $1`,
        [id],
      ),
    ).rejects.toThrow(/cannot begin as pending/);
    await expect(
      client.query(
        `update authorization_requests set status = 'approved', state_version = 99, auth_req_id = null,
          ended_at = clock_timestamp() where id = $1`,
        [id],
      ),
    ).rejects.toMatchObject({ constraint: 'authorization_requests__evidence_check' });
  });

  it('names every constraint and index after its table', async () => {
    const { rows } = await client.query<{ table: string; name: string }>(
      `select c.relname as table, k.conname as name from pg_constraint k join pg_class c on c.oid = k.conrelid
        where c.relnamespace = 'public'::regnamespace and c.relname <> 'migrations' and k.contype in ('p', 'u', 'c', 'f')
        union all select tablename, indexname from pg_indexes where schemaname = 'public' and tablename <> 'migrations'`,
    );
    const kind = /__[a-z0-9_]+_(pk|key|fk|check|ix)$/;
    expect(rows.filter(({ table, name }) => !name.startsWith(`${table}__`) || !kind.test(name))).toEqual([]);
  });

  it('has nothing left to migrate', async () => {
    expect(await migrate(fixture.url)).toEqual([]);
  });
});
