import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { OpenAttemptResult } from '#lib/persistence';
import { perseveringUntil, silentLog } from '#lib/runtime';
import { Client } from 'pg';
import { v7 as newId } from 'uuid';
import { openFixture, submitted, type DatabaseFixture } from '../../../test/support/postgres-builders.js';
import { OpenAttempt } from './open-attempt.js';

let fixture: DatabaseFixture;
/** Holds the row of the request. */
let holder: Client;
/** Looks at who waits for it; within a transaction the same would be seen for ever. */
let onlooker: Client;
beforeAll(async () => {
  fixture = await openFixture();
  [holder, onlooker] = [1, 2].map(() => new Client({ connectionString: fixture.url })) as [Client, Client];
  await Promise.all([holder.connect(), onlooker.connect()]);
});
afterAll(async () => {
  await Promise.all([holder.end(), onlooker.end()]);
  await fixture.close();
});

/** Resolves when so many statements wait for the row of a request. */
async function waitingForTheRow(number: number): Promise<void> {
  for (;;) {
    const { rows } = await onlooker.query<{ waiting: number }>(
      `select count(*)::integer as waiting from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rows[0]!.waiting >= number) return;
  }
}

it('opens an attempt whose statement outlives its connection, and commits while it is repeated', async () => {
  const { requests } = fixture.database;
  const requestId = await submitted(fixture.database, fixture.rule);
  const abandoned: Promise<OpenAttemptResult>[] = [];
  const openAttempt = new OpenAttempt(
    {
      openAttempt: async (attempt) => {
        const opening = requests.openAttempt(attempt);
        if (abandoned.push(opening) > 1) return opening;
        await waitingForTheRow(1);
        // The server does not notice, and goes on with the statement.
        throw Object.assign(new Error('the connection was reset'), { code: 'ECONNRESET' });
      },
    },
    'worker-1',
    perseveringUntil(new AbortController().signal, silentLog),
  );
  await holder.query('begin');
  await holder.query('select from authorization_requests where id = $1 for update', [requestId]);
  const cause = { consumer: 'ciba-worker', eventId: newId() };
  const opened = openAttempt.untilKnown({ requestId, attemptId: newId(), cause });
  await waitingForTheRow(2);
  await holder.query('commit');

  expect(await opened).toMatchObject({ kind: 'opened', number: 1 });
  const first = await openAttempt.untilKnown({ requestId, attemptId: newId(), cause: null });
  expect(first.kind).toBe('in-progress');
});
