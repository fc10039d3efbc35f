import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PollingHouse, type HouseRule } from '../../../test/support/polling-house.js';

let house: PollingHouse;
const timeoutMs = 60_000;

beforeEach(async () => {
  house = await PollingHouse.open();
}, timeoutMs);
// What has died takes its time to stop; the next story need not wait for that.
const closing: Promise<void>[] = [];
afterEach(() => void closing.push(house.close()));
afterAll(() => Promise.all(closing), timeoutMs);

const started = (id: string) => house.fact(id, ['authorization.initiated', 'authorization.failed']);

const attempts = async (id: string): Promise<(string | null)[]> =>
  (
    await house.query<{ outcome: string | null }>(
      'select outcome from start_attempts where request_id = $1 order by number',
      [id],
    )
  ).map(({ outcome }) => outcome);

describe('a worker that dies', () => {
  /** A request whose worker has died in its call, and whose time for the call is over. */
  async function abandoned(rule: HouseRule): Promise<string> {
    const worker = await house.startWorker({ CIBA_WORKER_SETTLE_SECONDS: 1 });
    rule.provider.on('backchannel', () => ({ hang: true }));
    const id = await house.submit(rule);
    await rule.provider.nextCall('backchannel');
    await worker.die();
    rule.provider.off('backchannel');
    await house.query(
      `update start_attempts set sent_at = sent_at - interval '60 seconds', lapses_at = clock_timestamp();
       update authorization_requests set created_at = created_at - interval '60 seconds'`,
    );
    return id;
  }

  it('in its call leaves an unknown answer behind: the next one ends the request', async () => {
    const rule = await house.addRule();
    const id = await abandoned(rule);
    await house.startWorker();
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'initiation_unknown' });
    expect(rule.provider.calls('backchannel')).toHaveLength(1);
    await rule.provider.goAway();
  });

  it('in its call ends the request as unknown although what it needs does not open any more', async () => {
    const id = await abandoned(await house.addRule());
    await house.query(
      `update authorization_requests set login_hint = '\\x0102', created_at = created_at - interval '901 seconds'`,
    );
    await house.startWorker();
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'initiation_unknown' });
  });

  it('or asks once more when the rule says so, and not a third time', async () => {
    const rule = await house.addRule({}, { onInitiationUnknown: 'ask-again' });
    const id = await abandoned(rule);
    rule.provider.on('backchannel', () => ({ reset: true }));
    await house.startWorker();
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'initiation_unknown' });
    expect(await attempts(id)).toEqual(['unknown', 'unknown']);
    expect(rule.provider.calls('backchannel')).toHaveLength(2);
    await rule.provider.goAway();
  });
});

describe('the sweep', () => {
  it('starts a request whose event was lost', async () => {
    const rule = await house.addRule();
    const id = await house.submit(rule);
    await house.query('update outbox set published_at = clock_timestamp()');
    await house.query(`update authorization_requests set created_at = created_at - interval '6 seconds'`);
    await house.startWorker();
    expect(await started(id)).toMatchObject({ status: 'pending' });
  });

  it.each([
    ['its login hint', `update authorization_requests set login_hint = '\\x0102'`],
    ['its rule’s secret', `update rule_versions set client_secret = '\\x0102'`],
  ])(
    'goes on past a request that cannot be started, because %s does not open, and ends it in time',
    async (_, seal) => {
      const broken = await house.submit(await house.addRule());
      await house.query(seal);
      const fine = await house.submit(await house.addRule());
      await house.query('update outbox set published_at = clock_timestamp()');
      await house.query(`update authorization_requests set created_at = created_at - interval '6 seconds'`);
      await house.startWorker();
      expect(await started(fine)).toMatchObject({ status: 'pending' });
      expect((await house.database.requests.view(broken, null))!.status).toBe('requested');
      await house.query(
        `update authorization_requests set created_at = created_at - interval '901 seconds' where id = '${broken}'`,
      );
      expect(await house.ended(broken)).toMatchObject({ status: 'failed', reason: 'configuration_error' });
    },
  );

  it('lets a request expire unasked that has waited for too long', async () => {
    const rule = await house.addRule();
    const id = await house.submit(rule);
    await house.query(`update authorization_requests set created_at = created_at - interval '901 seconds'`);
    await house.startWorker();
    expect(await house.ended(id)).toMatchObject({ status: 'expired' });
    expect(rule.provider.calls('backchannel')).toEqual([]);
  });
});

describe('a provider that hangs', () => {
  it('holds up nobody else, with more requests than the consumer’s window', async () => {
    const slow = await house.addRule();
    const fast = await house.addRule();
    slow.provider.on('backchannel', () => ({ hang: true }));
    await house.startWorker({ CIBA_WORKER_MAX_IN_FLIGHT_PER_PROVIDER: 4 });
    await Promise.all(Array.from({ length: 250 }, () => house.submit(slow)));
    const id = await house.submit(fast);
    expect(await started(id)).toMatchObject({ status: 'pending' });
    while (slow.provider.calls('backchannel').length < 4) await slow.provider.nextCall('backchannel');
    expect(slow.provider.calls('backchannel')).toHaveLength(4);
    slow.provider.off('backchannel');
    await slow.provider.goAway();
  });
});

describe('a full lane', () => {
  it('hands its place to those that stand by, without the sweep', async () => {
    await house.startWorker({ CIBA_WORKER_MAX_IN_FLIGHT_PER_PROVIDER: 1, CIBA_WORKER_MAX_WAITING_PER_PROVIDER: 1 });
    const rule = await house.addRule();
    let answer = (): void => undefined;
    const asked = new Promise<void>((resolve) => (answer = resolve));
    rule.provider.on('backchannel', async () => {
      await asked;
      return null;
    });
    const first = await house.submit(rule);
    await rule.provider.nextCall('backchannel');
    const others = [await house.submit(rule), await house.submit(rule)];
    // The sweep passes over whatever is so young.
    await house.query(`update authorization_requests set created_at = created_at + interval '1 hour'`);
    answer();
    for (const id of [first, ...others]) expect((await started(id)).status).toBe('pending');
    expect(rule.provider.calls('backchannel')).toHaveLength(3);
  });
});
