import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { shardCount } from '#lib/domain';
import type { ShardStore } from '#lib/persistence';
import { PollingHouse } from '../../../test/support/polling-house.js';
import { DatabaseClock } from './database-clock.js';
import { fairShare, ShardLeases } from './shard-leases.js';

let house: PollingHouse;
const timeoutMs = 60_000;

beforeAll(async () => {
  house = await PollingHouse.open();
}, timeoutMs);
afterAll(() => house.close(), timeoutMs);
beforeEach(async () => {
  await house.query(
    `update poller_shards set owner = null, epoch = 0, lease_until = 'epoch', unclean_takeover_at = null`,
  );
  await house.query('delete from poller_instances');
});

/** Leases of one instance, with a monotonic clock that the test moves. */
function leasesOf(owner: string, shards: ShardStore = house.database.shards) {
  const clock = { ms: 1_000_000 };
  const nowMs = () => clock.ms;
  const leases = new ShardLeases({
    shards,
    owner,
    clock: new DatabaseClock(nowMs),
    leaseMs: 10_000,
    marginMs: 3000,
    nowMs,
  });
  return { leases, clock };
}

/** Lets every lease lapse, as time would. */
const lapse = () => house.query(`update poller_shards set lease_until = clock_timestamp() - interval '1 second'`);

describe('fair shares', () => {
  it.each([
    [0, 256],
    [1, 256],
    [2, 128],
    [3, 86],
    [7, 37],
    [300, 1],
  ])('of %i instances are %i shards', (instances, share) => {
    expect(fairShare(instances)).toBe(share);
    expect(share * Math.max(1, instances)).toBeGreaterThanOrEqual(shardCount);
  });
});

describe('leases', () => {
  it('let polls go out until a margin before their end, by our own clock and without asking anybody', async () => {
    const { leases, clock } = leasesOf('a');
    expect(leases.maySend(5)).toBe(false);
    expect((await leases.renew()).taken).toHaveLength(256);
    clock.ms += 6999;
    expect(leases.maySend(5)).toBe(true);
    clock.ms += 1;
    expect(leases.maySend(5)).toBe(false);
    await leases.renew();
    expect(leases.maySend(5)).toBe(true);
  });

  it('count from before the renewal was sent, however long the database takes', async () => {
    const store = house.database.shards;
    const { leases, clock } = leasesOf('a', {
      renew: async (...args) => {
        const answer = await store.renew(...args);
        clock.ms += 6000;
        return answer;
      },
      takeLapsed: (...args) => store.takeLapsed(...args),
      release: (...args) => store.release(...args),
      leave: (...args) => store.leave(...args),
    });
    await leases.renew();
    clock.ms += 999;
    expect(leases.maySend(5)).toBe(true);
    clock.ms += 1;
    expect(leases.maySend(5)).toBe(false);
  });

  it('show the database the epoch under which a shard was taken', async () => {
    const { leases } = leasesOf('a');
    expect(leases.fence(7)).toBeNull();
    await leases.renew();
    expect(leases.fence(7)).toEqual({ shard: 7, owner: 'a', epoch: 1 });
  });

  it('are lost to whoever takes them when they lapse, and both notice', async () => {
    const a = leasesOf('a').leases;
    const b = leasesOf('b').leases;
    const startedAt = new Date();
    await a.renew();
    await lapse();
    await house.query('delete from poller_instances');
    expect((await b.renew()).taken).toHaveLength(256);
    expect((await a.renew()).lost).toHaveLength(256);
    expect([a.owns(1), a.maySend(1), b.maySend(1)]).toEqual([false, false, true]);
    expect(b.fence(1)).toEqual({ shard: 1, owner: 'b', epoch: 2 });
    // Requests that were started before may have lost an answer; those that are started from now on have not.
    expect(b.isTakenOver(1, startedAt)).toBe(true);
    expect(b.isTakenOver(1, new Date(Date.now() + 60_000))).toBe(false);
  });

  it('are ours again with a new epoch after somebody else had them in between', async () => {
    const a = leasesOf('a').leases;
    await a.renew();
    await house.query(`update poller_shards set epoch = epoch + 2 where shard = 9`);
    const { lost, taken } = await a.renew();
    expect({ lost, taken }).toEqual({ lost: [9], taken: [9] });
    expect(a.fence(9)?.epoch).toBe(3);
  });

  it('are known although the answer to their taking was lost', async () => {
    const store = house.database.shards;
    let lose = true;
    const { leases } = leasesOf('a', {
      renew: (...args) => store.renew(...args),
      takeLapsed: async (...args) => {
        const answer = await store.takeLapsed(...args);
        if (lose) throw new Error('connection lost after the commit');
        return answer;
      },
      release: (...args) => store.release(...args),
      leave: (...args) => store.leave(...args),
    });
    await expect(leases.renew()).rejects.toThrow('connection lost');
    expect(leases.owns(3)).toBe(false);
    lose = false;
    expect((await leases.renew()).taken).toHaveLength(256);
    expect(leases.maySend(3)).toBe(true);
  });

  it('are kept but not taken when the instance is about to stop', async () => {
    const { leases, clock } = leasesOf('a');
    await leases.renew();
    await leases.release([1, 2, 3], true);
    clock.ms += 6000;
    expect((await leases.renew('keep-only')).taken).toEqual([]);
    clock.ms += 6000;
    expect([leases.owns(1), leases.maySend(4)]).toEqual([false, true]);
    expect((await leases.renew()).taken).toEqual([1, 2, 3]);
  });

  it('stay given back when the answer to an earlier renewal comes after that', async () => {
    const store = house.database.shards;
    let arrived: Promise<void> | null = null;
    let answered = (): void => undefined;
    const { leases } = leasesOf('a', {
      renew: async (...args) => {
        const answer = await store.renew(...args);
        answered();
        await arrived;
        return answer;
      },
      takeLapsed: (...args) => store.takeLapsed(...args),
      release: (...args) => store.release(...args),
      leave: (...args) => store.leave(...args),
    });
    await leases.renew();
    let arrive = (): void => undefined;
    arrived = new Promise((resolve) => (arrive = resolve));
    const renewed = new Promise<void>((resolve) => (answered = resolve));
    const renewing = leases.renew('keep-only');
    await renewed;
    await leases.release([5], true);
    arrive();

    expect((await renewing).taken).toEqual([]);
    expect([leases.owns(5), leases.maySend(5), leases.maySend(6)]).toEqual([false, false, true]);
    // Whoever takes it gives it another epoch, and it may be us.
    expect((await leases.renew()).taken).toEqual([5]);
    expect(leases.fence(5)?.epoch).toBe(2);
  });

  it('go out of use at once when their shard is to be given away, and back to the pool when it is', async () => {
    const a = leasesOf('a').leases;
    const b = leasesOf('b').leases;
    await a.renew();
    await b.renew();
    const { surplus } = await a.renew();
    expect(surplus).toHaveLength(128);
    a.startLeaving(surplus);
    expect([a.maySend(surplus[0]!), a.owns(surplus[0]!)]).toEqual([false, true]);
    expect((await a.renew()).surplus).toEqual([]);

    await a.release(surplus.slice(0, 100), true);
    await a.release(surplus.slice(100), false);
    const { taken } = await b.renew();
    expect([...taken].sort((x, y) => x - y)).toEqual([...surplus].sort((x, y) => x - y));
    const longAgo = new Date(0);
    expect(surplus.filter((shard) => b.isTakenOver(shard, longAgo))).toEqual(surplus.slice(100));
    expect((await a.renew()).taken).toEqual([]);
  });
});
