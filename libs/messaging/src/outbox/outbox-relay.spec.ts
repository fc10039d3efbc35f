import { afterEach, describe, expect, it } from '@jest/globals';
import { anEvent, Journal } from '../event-bus.contract.js';
import type { EventPublisher, OutgoingEvent } from '../event-publisher.js';
import { Unroutable } from '../failures.js';
import type { Outbox, StoredEvent } from './outbox.js';
import { OutboxRelay, type OutboxRelayOptions } from './outbox-relay.js';

/** A table of unpublished rows, oldest first. */
class TableOfEvents implements Outbox {
  readonly rows = new Map<string, StoredEvent>();
  readonly settlements = new Journal<readonly string[]>();
  readonly sweeps = new Journal<{ limit: number; claimed: number }>();
  away: Error | null = null;
  private readonly locked = new Set<string>();

  insert(...events: readonly StoredEvent[]): readonly StoredEvent[] {
    for (const event of events) this.rows.set(event.id, event);
    return events;
  }

  async settle(ids: readonly string[]): Promise<void> {
    if (this.away) throw this.away;
    this.remove(ids);
    this.settlements.add(ids);
  }

  async sweep(
    { limit }: { limit: number },
    publish: (events: readonly StoredEvent[]) => Promise<readonly string[]>,
  ): Promise<number> {
    if (this.away) throw this.away;
    const claimed = [...this.rows.values()].filter(({ id }) => !this.locked.has(id)).slice(0, limit);
    for (const { id } of claimed) this.locked.add(id);
    this.remove(await publish(claimed));
    for (const { id } of claimed) this.locked.delete(id);
    this.sweeps.add({ limit, claimed: claimed.length });
    return claimed.length;
  }

  private remove(ids: readonly string[]): void {
    for (const id of ids) this.rows.delete(id);
  }
}

/** A broker that confirms when the test says so, or at once. */
class Broker implements EventPublisher {
  readonly arrivals = new Journal<Arrival>();
  answers: 'when told' | 'at once' = 'at once';
  away: Error | null = null;
  published: string[] = [];
  attempts = 0;
  underWay = 0;
  mostUnderWay = 0;

  async publish({ event }: OutgoingEvent): Promise<void> {
    this.attempts++;
    if (this.away) throw this.away;
    if (event.data === 'wanted by nobody') throw new Unroutable('assent.decisions', 'decision.x');
    this.underWay++;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      if (this.answers === 'when told') {
        await new Promise<void>((confirm, refuse) => this.arrivals.add({ id: event.id, confirm, refuse }));
      }
      this.published.push(event.id);
    } finally {
      this.underWay--;
    }
  }
}

interface Arrival {
  readonly id: string;
  readonly confirm: () => void;
  readonly refuse: (error: Error) => void;
}

let relay: OutboxRelay | null = null;
afterEach(async () => {
  await relay?.stop();
  relay = null;
});

function aWorld(options: Partial<OutboxRelayOptions> = {}) {
  const outbox = new TableOfEvents();
  const broker = new Broker();
  const log: string[] = [];
  relay = new OutboxRelay({
    outbox,
    publisher: broker,
    log: (level, message) => log.push(`${level}: ${message}`),
    settleAfterMs: 0,
    ...options,
  });
  return { outbox, broker, log, relay };
}

function events(count: number, payload?: unknown): StoredEvent[] {
  return Array.from({ length: count }, () => {
    const outgoing = anEvent('decision.approved', payload);
    return { id: outgoing.event.id, outgoing };
  });
}
const idsOf = (list: readonly StoredEvent[]): string[] => list.map((each) => each.id);

describe('offered events', () => {
  it('are published in their order and settled', async () => {
    const { outbox, broker, relay } = aWorld();
    const offered = outbox.insert(...events(3));
    relay.offer(offered);
    await relay.stop();
    expect(broker.published).toEqual(idsOf(offered));
    expect(outbox.rows.size).toBe(0);
  });

  it('are settled in batches', async () => {
    const { outbox, relay } = aWorld({ batchSize: 10, settleAfterMs: 60_000 });
    relay.offer(outbox.insert(...events(25)));
    const full = [await outbox.settlements.next(), await outbox.settlements.next()];
    expect(full.map((ids) => ids.length)).toEqual([10, 10]);
    await relay.stop();
    expect((await outbox.settlements.next()).length).toBe(5);
  });

  it('are never under way in a greater number than allowed', async () => {
    const { outbox, broker, relay } = aWorld({ maxInFlight: 4 });
    broker.answers = 'when told';
    relay.offer(outbox.insert(...events(10)));
    for (let confirmed = 0; confirmed < 10; confirmed++) (await broker.arrivals.next()).confirm();
    await outbox.settlements.next();
    expect(broker.mostUnderWay).toBe(4);
  });

  it('are left to the sweep where memory has no room for them', async () => {
    const { outbox, broker, relay } = aWorld({ maxHeld: 3 });
    broker.answers = 'when told';
    relay.offer(outbox.insert(...events(5)));
    relay.offer(outbox.insert(...events(1)));
    for (const { confirm } of await broker.arrivals.take(3)) confirm();
    await relay.stop();
    expect(broker.published).toHaveLength(3);
    expect(outbox.rows.size).toBe(3);
  });

  it('stay in the outbox when the broker does not confirm them', async () => {
    const { outbox, broker, relay } = aWorld();
    broker.answers = 'when told';
    const [first, second] = outbox.insert(...events(2));
    relay.offer([first!, second!]);
    const [one, two] = await broker.arrivals.take(2);
    one!.refuse(new Error('channel closed'));
    two!.confirm();
    expect(await outbox.settlements.next()).toEqual([second!.id]);
    expect([...outbox.rows.keys()]).toEqual([first!.id]);
  });

  it('are not published by a sweep as well', async () => {
    const { outbox, broker, relay } = aWorld();
    broker.answers = 'when told';
    relay.offer(outbox.insert(...events(1)));
    const arrival = await broker.arrivals.next();

    expect(await relay.sweepOnce()).toBe(1);
    expect(outbox.rows.size).toBe(1);

    arrival.confirm();
    await outbox.settlements.next();
    expect(broker.published).toHaveLength(1);
  });

  it('that are confirmed but could not be settled are published again: at least once', async () => {
    const { outbox, broker, log, relay } = aWorld();
    const [event] = outbox.insert(...events(1));
    outbox.away = new Error('the database is away');
    relay.offer([event!]);
    await relay.stop();
    expect(log).toEqual(['warn: the outbox cannot be reached']);
    expect([...outbox.rows.keys()]).toEqual([event!.id]);

    outbox.away = null;
    await relay.sweepOnce();
    expect(broker.published).toEqual([event!.id, event!.id]);
    expect(log.at(-1)).toBe('info: no longer: the outbox cannot be reached');
  });
});

describe('a sweep', () => {
  it('publishes and settles what others left behind', async () => {
    const { outbox, broker, relay } = aWorld();
    const left = outbox.insert(...events(3));
    expect(await relay.sweepOnce()).toBe(3);
    expect(broker.published).toEqual(idsOf(left));
    expect(outbox.rows.size).toBe(0);
  });

  it('settles only what was taken', async () => {
    const { outbox, relay } = aWorld();
    const [unwanted] = outbox.insert(...events(1, 'wanted by nobody'));
    outbox.insert(...events(2));
    await relay.sweepOnce();
    expect([...outbox.rows.keys()]).toEqual([unwanted!.id]);
  });

  it('follows another at once while batches are full', async () => {
    const { outbox, relay } = aWorld({ batchSize: 2, sweepIntervalMs: 3_600_000 });
    outbox.insert(...events(5));
    relay.start();
    relay.start();
    expect((await outbox.sweeps.take(3)).map((each) => each.claimed)).toEqual([2, 2, 1]);
  });

  it('comes again after the interval, also when the database was away', async () => {
    const { outbox, log, relay } = aWorld({ sweepIntervalMs: 1, longestPauseMs: 2 });
    relay.start();
    await outbox.sweeps.next();
    outbox.away = new Error('the database is away');
    await new Promise((resolve) => setImmediate(resolve));
    while (log.length === 0) await new Promise((resolve) => setImmediate(resolve));
    outbox.away = null;
    outbox.insert(...events(1));
    while ((await outbox.sweeps.next()).claimed === 0);
    expect(outbox.rows.size).toBe(0);
    expect(log).toEqual(['warn: the outbox cannot be reached', 'info: no longer: the outbox cannot be reached']);
  });

  it('does not run beside itself', async () => {
    const { outbox, broker, relay } = aWorld();
    broker.answers = 'when told';
    outbox.insert(...events(1));
    const both = Promise.all([relay.sweepOnce(), relay.sweepOnce()]);
    (await broker.arrivals.next()).confirm();
    expect(await both).toEqual([1, 1]);
    expect(broker.published).toHaveLength(1);
  });
});

describe('while the broker is away', () => {
  it('one event is tried per sweep, nothing from memory, and one line is logged', async () => {
    const { outbox, broker, log, relay } = aWorld();
    broker.away = new Error('ECONNREFUSED');
    outbox.insert(...events(10));
    for (let sweep = 0; sweep < 3; sweep++) await relay.sweepOnce();
    expect(broker.attempts).toBe(12);
    relay.offer(outbox.insert(...events(5)));
    expect(broker.attempts).toBe(12);
    expect((await outbox.sweeps.take(3)).map((each) => each.limit)).toEqual([500, 1, 1]);
    expect(log).toEqual(['warn: events wait in the outbox: the broker is away']);

    broker.away = null;
    await relay.sweepOnce();
    await relay.sweepOnce();
    expect(outbox.rows.size).toBe(0);
    expect(log.slice(1)).toEqual(['info: no longer: events wait in the outbox: the broker is away']);
    relay.offer(outbox.insert(...events(1)));
    await outbox.settlements.next();
  });

  it('an event that nobody wants does not hide that it is back', async () => {
    const { outbox, broker, relay } = aWorld();
    broker.away = new Error('ECONNREFUSED');
    outbox.insert(...events(1, 'wanted by nobody'), ...events(2));
    await relay.sweepOnce();
    broker.away = null;
    await relay.sweepOnce();
    await relay.sweepOnce();
    expect(outbox.rows.size).toBe(1);
  });
});

it('logs once, not per event, that a kind of event has no queue, and when it has one again', async () => {
  const { outbox, log, relay } = aWorld();
  outbox.insert(...events(20, 'wanted by nobody'));
  await relay.sweepOnce();
  await relay.sweepOnce();
  expect(log).toEqual(['warn: events wait in the outbox: no queue takes them']);

  outbox.rows.clear();
  outbox.insert(...events(1));
  await relay.sweepOnce();
  expect(log.slice(1)).toEqual(['info: no longer: events wait in the outbox: no queue takes them']);
});

it('is done with a hint that nobody was there to take, and says nothing of it', async () => {
  const { outbox, log, relay } = aWorld();
  const ofKind = (routingKey: string): StoredEvent[] =>
    events(1, 'wanted by nobody').map((each) => ({ ...each, outgoing: { ...each.outgoing, routingKey } }));
  outbox.insert(...ofKind('authorization.initiated'), ...ofKind('authorization.pinged'));
  await relay.sweepOnce();
  expect(outbox.rows.size).toBe(0);
  expect(log).toEqual([]);

  outbox.insert(...ofKind('authorization.requested'));
  await relay.sweepOnce();
  expect(outbox.rows.size).toBe(1);
});

describe('stop', () => {
  it('publishes and settles what it holds, and takes nothing more', async () => {
    const { outbox, broker, relay } = aWorld({ maxInFlight: 1, settleAfterMs: 60_000 });
    broker.answers = 'when told';
    const offered = outbox.insert(...events(2));
    relay.offer(offered);
    const arrival = await broker.arrivals.next();

    const order: string[] = [];
    const stopping = relay.stop().then(() => order.push('stopped'));
    relay.offer(outbox.insert(...events(1)));
    arrival.confirm();
    (await broker.arrivals.next()).confirm();
    order.push('confirmed');
    await stopping;

    expect(order).toEqual(['confirmed', 'stopped']);
    expect(broker.published).toEqual(idsOf(offered));
    expect(outbox.rows.size).toBe(1);
  });

  it('leaves to the sweep what the time does not suffice for', async () => {
    const { outbox, broker, relay } = aWorld({ maxInFlight: 1, settleAfterMs: 60_000, drainMs: 0 });
    broker.answers = 'when told';
    const [first] = outbox.insert(...events(2));
    relay.start();
    relay.offer([...outbox.rows.values()]);
    const arrival = await broker.arrivals.next();

    const order: string[] = [];
    const stopping = relay.stop().then(() => order.push('stopped'));
    await new Promise((resolve) => setTimeout(resolve, 1));
    order.push('confirmed');
    arrival.confirm();
    await stopping;

    expect(order).toEqual(['confirmed', 'stopped']);
    expect(broker.published).toEqual([first!.id]);
    expect(outbox.rows.size).toBe(1);
    relay.offer([...outbox.rows.values()]);
    await relay.stop();
    expect(broker.published).toHaveLength(1);
  });
});
