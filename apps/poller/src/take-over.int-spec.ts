import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PollingHouse, type HouseRule, type HouseService } from '../../../test/support/polling-house.js';
import type { RecordedCall, ScriptedProvider } from '../../../test/support/scripted-provider.js';

let house: PollingHouse;
let rule: HouseRule;
let provider: ScriptedProvider;
const timeoutMs = 60_000;

beforeEach(async () => {
  house = await PollingHouse.open();
  rule = await house.addRule();
  provider = rule.provider;
  await house.startWorker();
}, timeoutMs);
// What has died takes its time to stop; the next story need not wait for that.
const closing: Promise<void>[] = [];
afterEach(() => void closing.push(house.close()));
afterAll(() => Promise.all(closing), timeoutMs);

const pollsOf = (authReqId: string): RecordedCall[] =>
  provider.calls('token').filter((call) => call.form.get('auth_req_id') === authReqId);

async function polled(authReqId: string, times: number): Promise<void> {
  while (pollsOf(authReqId).length < times) await provider.nextCall('token');
}

/** Resolves when an instance owns every shard, or as many as are asked for. */
async function owns({ instanceId }: HouseService, shards = 256): Promise<void> {
  const owned = async () =>
    (
      await house.query<{ count: number }>(
        'select count(*)::integer as count from poller_shards where owner = $1 and lease_until > clock_timestamp()',
        [instanceId],
      )
    )[0]!.count;
  while ((await owned()) !== shards) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Runs something as soon as the next poll has arrived, before it is answered. */
function beforeAnswer(action: () => Promise<void>): void {
  provider.on('token', async () => {
    provider.off('token');
    await action();
    return null;
  });
}

describe('a poller that stops as it should', () => {
  it('gives its requests to the next one, and nothing is in doubt', async () => {
    const first = await house.startPoller();
    await owns(first);
    const { id, authReqId } = await house.begin(rule);
    await polled(authReqId, 1);
    await first.stop();
    await owns(await house.startPoller());
    await polled(authReqId, 2);
    // Used up by nobody we know of: without an unclean take-over that is the provider's fault.
    provider.requests.at(-1)!.state = 'redeemed';
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'provider_error' });
    const [row] = await house.query('select count(unclean_takeover_at)::integer as unclean from poller_shards');
    expect(row).toEqual({ unclean: 0 });
  });

  it.each([
    ['expires when nothing is in doubt', false, 1],
    ['is asked about once more after its deadline when something is', true, 2],
  ])(
    'leaves too little time for another poll: an interval after the last one, the request %s (R67)',
    async (_, doubted, polls) => {
      const short = await house.addRule({ expiresInSeconds: 6, intervalSeconds: 4 });
      const first = await house.startPoller();
      await owns(first);
      const { id } = await house.begin(short);
      await short.provider.nextCall('token');
      await first.stop();
      if (doubted) await house.query('update poller_shards set unclean_takeover_at = clock_timestamp()');
      await house.startPoller();
      expect(await house.ended(id)).toMatchObject({ status: 'expired' });
      const times = short.provider.calls('token').map(({ receivedAtMs }) => receivedAtMs);
      expect(times).toHaveLength(polls);
      expect(Math.min(...times.slice(1).map((time, i) => time - times[i]!))).toBeGreaterThanOrEqual(4000);
    },
  );

  it('waits for the answer that is on its way', async () => {
    const poller = await house.startPoller();
    const { id, authReqId } = await house.begin(rule);
    provider.approve(authReqId);
    let stopped: Promise<void> = Promise.resolve();
    beforeAnswer(async () => {
      stopped = poller.stop();
      await new Promise((resolve) => setTimeout(resolve, 300));
    });
    expect(await house.ended(id)).toMatchObject({ status: 'approved' });
    await stopped;
    const [row] = await house.query('select count(owner)::integer as owned from poller_shards');
    expect(row).toEqual({ owned: 0 });
  });

  it('says so when it leaves a request in doubt behind', async () => {
    const poller = await house.startPoller();
    const { id, authReqId } = await house.begin(rule);
    provider.approve(authReqId);
    provider.on('token', () => {
      provider.off('token');
      provider.requests.at(-1)!.state = 'redeemed';
      return { reset: true };
    });
    await polled(authReqId, 1);
    // The loss reaches the poller in its own time; its stop waits for that.
    await poller.stop();
    const [row] = await house.query('select count(unclean_takeover_at)::integer as unclean from poller_shards');
    expect(row).toEqual({ unclean: 1 });
    await house.startPoller();
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'outcome_unknown' });
  });
});

describe('a poller that dies', () => {
  it('has its requests taken over when its lease has lapsed', async () => {
    const first = await house.startPoller();
    await owns(first);
    const { id, authReqId } = await house.begin(rule);
    await polled(authReqId, 1);
    await first.die();
    const second = await house.startPoller();
    await owns(second);
    provider.approve(authReqId);
    expect(await house.ended(id)).toMatchObject({ status: 'approved' });
    const [row] = await house.query<{ epoch: number }>('select min(epoch) as epoch from poller_shards');
    expect(row!.epoch).toBe(2);
  });

  it('stops asking before its lease ends: its polls and those of the next owner never overlap (R52)', async () => {
    const first = await house.startPoller();
    await owns(first);
    const { id, authReqId } = await house.begin(rule);
    await polled(authReqId, 1);
    await first.die();
    const second = await house.startPoller();
    await owns(second);
    await polled(authReqId, 4);
    provider.deny(authReqId);
    expect((await house.ended(id)).status).toBe('denied');
    const times = pollsOf(authReqId).map(({ receivedAtMs }) => receivedAtMs);
    expect(Math.min(...times.slice(1).map((time, i) => time - times[i]!))).toBeGreaterThanOrEqual(1000);
  });

  it('leaves its rhythm behind: the next owner waits the raised interval, whole, from the take-over (R67)', async () => {
    const first = await house.startPoller();
    await owns(first);
    provider.on('token', () => ({ status: 400, json: { error: 'slow_down' } }));
    const { authReqId } = await house.begin(rule);
    await polled(authReqId, 1);
    const kept = () => house.query('select from authorization_requests where interval_seconds = 6');
    while ((await kept()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const diedAtMs = performance.now();
    await first.die();
    await owns(await house.startPoller());
    await polled(authReqId, 2);
    expect(pollsOf(authReqId)[1]!.receivedAtMs - diedAtMs).toBeGreaterThanOrEqual(6000);
  });

  it('may have taken an approval with it: then nobody claims to know the outcome', async () => {
    const first = await house.startPoller();
    await owns(first);
    const { id, authReqId } = await house.begin(rule);
    provider.approve(authReqId);
    beforeAnswer(() => first.die());
    await polled(authReqId, 1);
    await house.startPoller();
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'outcome_unknown' });
    expect(pollsOf(authReqId)).toHaveLength(2);
  });

  it('after the deadline too: one more poll tells a lost approval from nobody having answered', async () => {
    const short = await house.addRule({ expiresInSeconds: 3 });
    const first = await house.startPoller();
    await owns(first);
    const lost = await house.begin(short);
    const unanswered = await house.begin(short);
    const [lostAtProvider] = short.provider.requests;
    await first.die();
    // What the dying poller took with it.
    lostAtProvider!.state = 'redeemed';
    await expiredInDatabase(unanswered.id);
    const before = short.provider.calls('token').length;
    await house.startPoller();
    expect(await house.ended(lost.id)).toMatchObject({ status: 'failed', reason: 'outcome_unknown' });
    expect(await house.ended(unanswered.id)).toMatchObject({ status: 'expired', reason: null });
    expect(short.provider.calls('token').length - before).toBe(2);
  });

  it('leaves held answers behind, which are verified and never polled for again', async () => {
    provider.on('jwks', () => ({ status: 503 }));
    const first = await house.startPoller();
    await owns(first);
    const { id, authReqId } = await house.begin(rule);
    provider.approve(authReqId);
    await polled(authReqId, 1);
    while ((await house.query('select from held_answers')).length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await first.die();
    provider.off('jwks');
    await house.startPoller();
    expect(await house.ended(id)).toMatchObject({ status: 'approved' });
    expect(pollsOf(authReqId)).toHaveLength(1);
  });

  async function expiredInDatabase(id: string): Promise<void> {
    const due = async () =>
      (
        await house.query<{ due: boolean }>(
          'select expires_at <= clock_timestamp() as due from authorization_requests where id = $1',
          [id],
        )
      )[0]!.due;
    while (!(await due())) await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

describe('several pollers', () => {
  it('share the shards fairly when one more comes, and when one leaves', async () => {
    const first = await house.startPoller();
    await owns(first, 256);
    const second = await house.startPoller();
    await Promise.all([owns(first, 128), owns(second, 128)]);
    const third = await house.startPoller();
    await Promise.all([owns(first, 86), owns(second, 86), owns(third, 84)]);
    await third.stop();
    await Promise.all([owns(first, 128), owns(second, 128)]);
    const [row] = await house.query('select count(unclean_takeover_at)::integer as unclean from poller_shards');
    expect(row).toEqual({ unclean: 0 });
  });

  it('go on with every request while shards move, each polled by one of them at a time and never early', async () => {
    const first = await house.startPoller();
    await owns(first);
    const requests: { readonly id: string; readonly authReqId: string }[] = [];
    for (let i = 0; i < 40; i++) requests.push(await house.begin(rule));
    const second = await house.startPoller();
    await owns(second, 128);
    await Promise.all(requests.map(({ authReqId }) => polled(authReqId, 5)));
    requests.forEach(({ authReqId }) => provider.approve(authReqId));
    for (const { id } of requests) expect((await house.ended(id)).status).toBe('approved');
    for (const { authReqId } of requests) {
      const times = pollsOf(authReqId).map(({ receivedAtMs }) => receivedAtMs);
      expect(Math.min(...times.slice(1).map((time, i) => time - times[i]!))).toBeGreaterThanOrEqual(1000);
    }
  });
});

describe('a request whose auth_req_id does not open', () => {
  it('holds up nobody else, and ends with its deadline', async () => {
    const broken = await house.begin(rule);
    const fine = await house.begin(rule);
    await house.query(`update authorization_requests set auth_req_id = '\\x0102' where id = '${broken.id}'`);
    await house.startPoller();
    provider.approve(fine.authReqId);
    expect(await house.ended(fine.id)).toMatchObject({ status: 'approved' });
    await house.query(`update authorization_requests set expires_at = clock_timestamp() where id = '${broken.id}'`);
    expect(await house.ended(broken.id)).toMatchObject({ status: 'failed', reason: 'outcome_unknown' });
  });
});
