import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRabbitBus, type OutgoingEvent } from '#lib/messaging';
import { Client } from 'pg';
import { randomFrom } from '../interleavings/triples.js';
import type { ScriptedRequest } from '../support/scripted-provider.js';
import { consumeAll, Crowd, submitAll, type Submitted } from './crowd.js';

/** How many at once. */
export interface Crowding {
  readonly requests: number;
  readonly submitters: number;
  readonly consumers: number;
}

/** Invariants I8, I14, I15, I21 and I22 under a crowd. */
export function describeRaces({ requests, submitters, consumers }: Crowding): void {
  describe(`${requests} requests, three rules services that are killed, and answers that get lost`, () => {
    const limitMs = 600_000;
    let crowd: Crowd;
    let look: Client;
    let submitted: Submitted[];

    beforeAll(async () => {
      crowd = await Crowd.open();
      look = new Client({ connectionString: crowd.composition.databaseUrl });
      await look.connect();
    }, limitMs);
    afterAll(async () => {
      await look?.end();
      await crowd?.close();
    }, 60_000);

    it(
      `are one request each for ${submitters} callers who submit it at once, and one prompt`,
      async () => {
        submitted = await submitAll(crowd, requests, submitters);
        expect(new Set(submitted.map(({ id }) => id)).size).toBe(requests);
        const { rows } = await look.query('select count(*)::integer as requests from authorization_requests');
        expect(rows).toEqual([{ requests }]);
        for (const each of submitted) crowd.provider.approve((await promptOf(each)).authReqId);
        expect(crowd.provider.calls('backchannel')).toHaveLength(requests);
      },
      limitMs,
    );

    it(
      `are used once each by ${consumers} callers who want to at once`,
      async () => {
        for (const { id } of submitted) expect((await crowd.assent.decided(id)).status).toBe('approved');
        expect(new Set(await consumeAll(crowd, submitted, consumers))).toEqual(new Set([1]));
        const { rows } = await look.query(
          `select count(*)::integer as uses, count(distinct request_id)::integer as requests
           from request_timeline where type = 'consumed'`,
        );
        expect(rows).toEqual([{ uses: requests, requests }]);
      },
      limitMs,
    );

    it(
      'stay as they are when all their events come again, three times each and in any order',
      async () => {
        const settled = await untilDelivered();
        const { rows: events } = await look.query<OutgoingEvent>(
          `select exchange, routing_key as "routingKey", event from outbox`,
        );
        expect(events.length).toBeGreaterThanOrEqual(3 * requests);
        const random = randomFrom(20);
        const again = [...events, ...events, ...events]
          .map((event) => ({ event, place: random() }))
          .sort((a, b) => a.place - b.place);
        const bus = createRabbitBus({ url: crowd.composition.amqpUrl!, instanceId: 'replay' });
        await bus.whenConnected();
        for (const { event } of again) await bus.publish(event);
        await bus.close();
        // Queues keep their order: when a new request has gone all the way, what was published before it has been handled.
        const [marker] = await submitAll(crowd, 1, 1);
        const asked = await promptOf(marker!);
        crowd.provider.approve(asked.authReqId);
        expect((await crowd.assent.decided(marker!.id)).status).toBe('approved');
        expect(await state()).toEqual(settled);
        expect(crowd.provider.calls('backchannel')).toHaveLength(requests + 1);
      },
      limitMs,
    );

    /** What there is of the requests, when each callback has been delivered. */
    async function untilDelivered() {
      for (;;) {
        const { rows } = await look.query(`select from deliveries where state = 'pending' limit 1`);
        if (rows.length === 0) return state();
        await pause(100);
      }
    }

    /** Every row about the requests, as one hash each. */
    async function state(): Promise<Record<string, unknown>> {
      const ids = submitted.map(({ id }) => id);
      const tables = ['decisions', 'deliveries', 'request_timeline', 'start_attempts'];
      const found: Record<string, unknown> = {};
      for (const table of tables) {
        const { rows } = await look.query(`select md5(t::text) from ${table} t where request_id = any($1) order by 1`, [
          ids,
        ]);
        found[table] = rows;
      }
      const { rows } = await look.query(
        'select md5(t::text) from authorization_requests t where id = any($1) order by 1',
        [ids],
      );
      return { ...found, requests: rows };
    }

    async function promptOf({ id, person }: Submitted): Promise<ScriptedRequest> {
      while ((await crowd.assent.request(id)).body.status === 'requested') await pause(50);
      const asked = crowd.provider.requests.filter(({ form }) => form.get('login_hint') === person);
      expect(asked).toHaveLength(1);
      return asked[0]!;
    }
  });
}
