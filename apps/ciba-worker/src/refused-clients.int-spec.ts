import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PollingHouse, type HouseRule } from '../../../test/support/polling-house.js';
import type { ScriptedHandler } from '../../../test/support/scripted-provider.js';

let house: PollingHouse;
let rule: HouseRule;
const timeoutMs = 60_000;

beforeEach(async () => {
  house = await PollingHouse.open();
  rule = await house.addRule();
}, timeoutMs);
// What has died takes its time to stop; the next story need not wait for that.
const closing: Promise<void>[] = [];
afterEach(() => void closing.push(house.close()));
afterAll(() => Promise.all(closing), timeoutMs);

const refuse = (code = 'invalid_client') =>
  rule.provider.on('backchannel', () => ({ status: 401, json: { error: code, error_description: 'who are you' } }));
const starts = () => rule.provider.calls('backchannel').length;
const failed = { status: 'failed', reason: 'configuration_error' } as const;
const endPause = () => house.query('update client_refusals set paused_until = clock_timestamp()');
const started = (id: string) => house.fact(id, ['authorization.initiated', 'authorization.failed']);

describe('a client that the provider refuses at the start (R62)', () => {
  it.each(['invalid_client', 'unauthorized_client'])(
    'ends the request with %s, and the next ones wait without a call, and fail in their time',
    async (code) => {
      refuse(code);
      await house.startWorker({ ASSENT_REFUSED_CLIENT_WAIT_SECONDS: 3 });
      expect(await house.ended(await house.submit(rule))).toMatchObject(failed);
      await house.query(`update client_refusals set paused_until = clock_timestamp() + interval '1 hour'`);
      const waiting = [await house.submit(rule), await house.submit(rule)];
      for (const id of waiting) {
        expect(await house.ended(id)).toMatchObject({ ...failed, providerError: { code, description: null } });
        const [row] = await house.query<{ waited: boolean }>(
          `select ended_at >= created_at + interval '3 seconds' as waited from authorization_requests where id = $1`,
          [id],
        );
        expect(row).toEqual({ waited: true });
      }
      expect(starts()).toBe(1);
      expect(house.logged).toContainEqual(
        expect.objectContaining({ detail: expect.objectContaining({ code: 'client_refused', error: code }) }),
      );
    },
  );

  it('holds up no other rule of the provider', async () => {
    refuse();
    await house.startWorker();
    await house.ended(await house.submit(rule));
    const other = await house.addRule();
    await house.begin(other);
    expect(starts()).toBe(1);
  });

  it('is tried by one request when the pause is over, and when it is taken the others follow', async () => {
    refuse();
    await Promise.all([house.startWorker(), house.startWorker()]);
    await house.ended(await house.submit(rule));
    const waiting = await Promise.all(Array.from({ length: 6 }, () => house.submit(rule)));
    await house.query("update authorization_requests set created_at = created_at - interval '6 seconds'");
    // Still refused: one of them pays for the trial.
    await endPause();
    await Promise.race(waiting.map((id) => house.ended(id)));
    expect(starts()).toBe(2);
    rule.provider.off('backchannel');
    await endPause();
    const facts = await Promise.all(waiting.map((id) => started(id)));
    expect(facts.filter(({ status }) => status === 'pending')).toHaveLength(5);
    expect(starts()).toBe(7);
    expect(await house.query('select from client_refusals')).toEqual([]);
  });

  it.each(['fail', 'ask-again'] as const)(
    'leaves a call behind that may have rung the phone: its request ends unknown (%s)',
    async (onInitiationUnknown) => {
      rule = await house.addRule({}, { onInitiationUnknown });
      const worker = await house.startWorker({ CIBA_WORKER_SETTLE_SECONDS: 1 });
      const { id } = await inItsCall({ hang: true });
      await worker.die();
      await house.query('update start_attempts set lapses_at = clock_timestamp()');
      await house.startWorker();
      expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'initiation_unknown' });
      expect(starts()).toBe(2);
      await rule.provider.goAway();
    },
  );

  it('ends no request whose call is still under way', async () => {
    await Promise.all([house.startWorker(), house.startWorker()]);
    let answer: () => void = () => undefined;
    const answered = new Promise<null>((resolve) => (answer = () => resolve(null)));
    const { id, event } = await inItsCall(answered);
    for (let times = 0; times < 6; times++) await house.bus.publish(event);
    const other = await house.addRule();
    for (let times = 0; times < 2; times++) await house.begin(other);
    answer();
    expect(await started(id)).toMatchObject({ status: 'pending' });
  });

  /** A request whose call has arrived and is answered so, its patience over, when the client has been paused meanwhile. */
  async function inItsCall(reply: Awaited<ReturnType<ScriptedHandler>> | Promise<null>) {
    let calls = 0;
    const no = { status: 401, json: { error: 'invalid_client' } };
    rule.provider.on('backchannel', () => (calls++ === 0 ? reply : no));
    const arrived = rule.provider.nextCall('backchannel');
    const id = await house.submit(rule);
    await arrived;
    await house.ended(await house.submit(rule));
    await house.query(`update client_refusals set paused_until = clock_timestamp() + interval '1 hour'`);
    await house.query(`update authorization_requests set created_at = created_at - interval '61 seconds'`);
    const [stored] = await house.query<{ event: never; routing_key: string }>(
      `select routing_key, event from outbox where event->>'subject' = $1`,
      [id],
    );
    return {
      id,
      event: { exchange: 'assent.authorizations', routingKey: stored!.routing_key, event: stored!.event } as const,
    };
  }

  it('costs no answer: a request ends although what was learned of the client cannot be noted', async () => {
    refuse();
    await house.startWorker();
    await house.query('begin');
    await house.query('lock table client_refusals in share mode');
    expect(await house.ended(await house.submit(rule))).toMatchObject(failed);
    await house.query('commit');
  });

  it('is spared no longer when the trial ends in an error that speaks of the request', async () => {
    refuse();
    await house.startWorker();
    await house.ended(await house.submit(rule));
    await endPause();
    rule.provider.on('backchannel', () => ({ status: 400, json: { error: 'invalid_request' } }));
    const tried = await house.submit(rule);
    await house.query("update authorization_requests set created_at = created_at - interval '6 seconds'");
    expect(await house.ended(tried)).toMatchObject({ status: 'failed', reason: 'provider_rejected' });
    while ((await house.query('select from client_refusals')).length > 0) await new Promise(setImmediate);
    rule.provider.off('backchannel');
    await house.begin(rule);
  });

  it('goes on at once under a new version of the rule', async () => {
    refuse();
    await house.startWorker();
    await house.ended(await house.submit(rule));
    rule.provider.off('backchannel');
    const { definition } = (await house.database.rules.find(rule.id))!;
    await house.database.rules.update(rule.id, null, { definition, clientSecret: 'the right one' });
    await house.begin({ ...rule, version: rule.version + 1 });
    expect(starts()).toBe(2);
  });
});
