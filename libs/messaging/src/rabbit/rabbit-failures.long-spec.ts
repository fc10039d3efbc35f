import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { filter, firstValueFrom } from 'rxjs';
import { itWithPrivateBroker as it } from '../../../../test/support/needs.js';
import { startRabbit, type Rabbit } from '../../../../test/support/rabbitmq.js';
import { anEvent, aWord, Journal, listen } from '../event-bus.contract.js';
import { createRabbitBus, type EventBus, type Log, type RabbitLimits } from '../index.js';

const patient = 300_000;

let rabbit: Rabbit;
beforeAll(async () => {
  rabbit = await startRabbit();
}, patient);
afterAll(() => rabbit.stop(), patient);

const buses: EventBus[] = [];
afterEach(async () => {
  rabbit.thaw();
  await Promise.all(buses.splice(0).map((bus) => bus.close()));
}, patient);

function aBus(limits: Partial<RabbitLimits> = {}, log?: Log): EventBus {
  const bus = createRabbitBus({ url: rabbit.url, instanceId: aWord(), limits, log });
  buses.push(bus);
  return bus;
}

/** Resolves when the log has a line of that kind. */
async function line(log: Journal<string>, expected: RegExp): Promise<void> {
  while (!expected.test(await log.next()));
}

it(
  'delivers again, after a kill of the broker, what was in flight',
  async () => {
    const own = aWord();
    const log = new Journal<string>();
    const bus = aBus({}, (_, message) => log.add(message));
    const calls = new Journal<{ payload: unknown; redelivered: boolean }>();
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await listen(bus, own, `authorization.${own}`, async (payload, { redelivered }) => {
      calls.add({ payload, redelivered });
      await released;
    });
    for (const name of ['a', 'b', 'c']) await bus.publish(anEvent(`authorization.${own}`, name));
    await calls.take(3);

    await rabbit.kill9();
    await line(log, /disconnected/);
    await expect(bus.publish(anEvent(`authorization.${own}`))).rejects.toThrow();
    expect(bus.status().state).toBe('disconnected');
    // Acknowledged on a channel that is no more: it must come again.
    release();

    await rabbit.restart();
    await bus.whenConnected();
    const again = await calls.take(3);
    expect(again.map((each) => each.payload).sort()).toEqual(['a', 'b', 'c']);
    expect(again.every((each) => each.redelivered)).toBe(true);
    await bus.publish(anEvent(`authorization.${own}`, 'd'));
    expect((await calls.next()).payload).toBe('d');
  },
  patient,
);

it(
  'starts without a broker, says so, and consumes as soon as there is one',
  async () => {
    const own = aWord();
    await rabbit.kill9();
    const bus = aBus();
    const calls = new Journal<unknown>();
    const transport = bus.consumer(own);
    transport.addHandler(`authorization.${own}`, async (payload) => calls.add(payload), true);
    await new Promise<void>((ready) => transport.listen(() => ready()));
    await firstValueFrom(transport.status.pipe(filter((state) => state === 'disconnected')));

    await expect(bus.publish(anEvent(`authorization.${own}`))).rejects.toThrow('the broker is away');
    expect(bus.status().state).toBe('disconnected');
    expect(bus.status().problem).toContain('ECONNREFUSED');

    await rabbit.restart();
    await bus.whenConnected();
    await bus.publish(anEvent(`authorization.${own}`, 'here'));
    expect(await calls.next()).toBe('here');
  },
  patient,
);

it(
  'needs nothing of what the broker stored: after the loss of its disk everything is declared again',
  async () => {
    const own = aWord();
    const log = new Journal<string>();
    const bus = aBus({}, (_, message) => log.add(message));
    const calls = new Journal<unknown>();
    await listen(bus, own, `authorization.${own}`, (payload) => calls.add(payload));

    await rabbit.wipe();
    await line(log, /disconnected/);
    await bus.whenConnected();
    await bus.publish(anEvent(`authorization.${own}`, 'after the loss'));
    expect(await calls.next()).toBe('after the loss');
  },
  patient,
);

it(
  'rejects a publication that a frozen broker does not confirm, and publishes again when it wakes up',
  async () => {
    const own = aWord();
    const bus = aBus({ confirmMs: 500, callMs: 500, reopenMs: 50 });
    const calls = new Journal<unknown>();
    await listen(bus, own, `authorization.${own}`, (payload) => calls.add(payload));

    rabbit.freeze();
    await expect(bus.publish(anEvent(`authorization.${own}`, 'in doubt'))).rejects.toThrow('took longer than 500 ms');
    await expect(bus.publish(anEvent(`authorization.${own}`))).rejects.toThrow('the broker is away');
    rabbit.thaw();

    await bus.whenConnected();
    await bus.publish(anEvent(`authorization.${own}`, 'in no doubt'));
    // The one in doubt may have arrived, too: at least once.
    let payload = await calls.next();
    while (payload !== 'in no doubt') payload = await calls.next();
  },
  patient,
);

it(
  'still delivers while a full disk blocks publishers, and publishes again when there is room',
  async () => {
    const own = aWord();
    const log = new Journal<string>();
    const bus = aBus({ confirmMs: 500, reopenMs: 50 }, (_, message, detail) =>
      log.add(`${message} ${JSON.stringify(detail)}`),
    );
    const calls = new Journal<unknown>();
    const first = await listen(bus, own, `authorization.${own}`, () => {});
    await first.close();
    await bus.publish(anEvent(`authorization.${own}`, 'stored before'));

    await rabbit.ctl(['set_disk_free_limit', '1000GB']);
    await expect(bus.publish(anEvent(`authorization.${own}`, 'in doubt'))).rejects.toThrow();
    expect(bus.status().problem).toContain('the broker takes no messages');
    await listen(aBus(), own, `authorization.${own}`, (payload) => calls.add(payload));
    expect(await calls.next()).toBe('stored before');

    await rabbit.ctl(['set_disk_free_limit', '50MB']);
    await line(log, /^publisher .* disconnected/);
    await line(log, /^publisher .* connected {"problem":null}/);
    await bus.publish(anEvent(`authorization.${own}`, 'stored after'));
    let payload = await calls.next();
    while (payload !== 'stored after') payload = await calls.next();
  },
  patient,
);

it(
  'keeps an event whose handler fails while a full disk blocks the copy for its retry, and retries when there is room',
  async () => {
    const own = aWord();
    const bus = aBus({ confirmMs: 500, reopenMs: 50, retryDelaysMs: [10], copyAgainMs: 1 });
    const attempts = new Journal<number>();
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await listen(bus, own, `authorization.${own}`, async (_, { attempt }) => {
      attempts.add(attempt);
      await released;
      if (attempt === 1) throw new Error('not yet');
    });
    await bus.publish(anEvent(`authorization.${own}`));
    await attempts.next();

    await rabbit.ctl(['set_disk_free_limit', '1000GB']);
    await expect(bus.publish(anEvent(`authorization.${aWord()}`))).rejects.toThrow();
    release();
    await rabbit.ctl(['set_disk_free_limit', '50MB']);
    expect(await attempts.next()).toBe(2);
    expect(await bus.deadLetters.list([`${own}.authorization.${own}`], 100)).toEqual([]);
  },
  patient,
);

it(
  'takes nothing new when its connection is lost and found again while it closes',
  async () => {
    const own = aWord();
    const mine = new Journal<unknown>();
    const others = new Journal<unknown>();
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const transport = await listen(aBus(), own, `authorization.${own}`, async (payload) => {
      mine.add(payload);
      await released;
    });
    const bus = aBus();
    await bus.whenConnected();
    await bus.publish(anEvent(`authorization.${own}`, 0));
    await mine.next();

    const closing = transport.close();
    const lost = firstValueFrom(transport.status.pipe(filter((state) => state === 'disconnected')));
    await rabbit.ctl(['close_all_connections', 'test']);
    await lost;
    await firstValueFrom(transport.status.pipe(filter((state) => state === 'connected')));
    await listen(bus, own, `authorization.${own}`, (payload) => others.add(payload));
    for (let number = 1; number < 10; number++) await bus.publish(anEvent(`authorization.${own}`, number));

    expect((await others.take(10)).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    release();
    await closing;
    expect(mine.unread).toBe(0);
  },
  patient,
);

it(
  'closes while the broker is away, or frozen',
  async () => {
    const own = aWord();
    const bus = aBus({ drainMs: 100 });
    await listen(bus, own, `authorization.${own}`, () => {});
    rabbit.freeze();
    await bus.close();
    expect(bus.status()).toEqual({ state: 'disconnected', problem: 'closed' });
    rabbit.thaw();
    await rabbit.kill9();
    const other = aBus();
    other.consumer(own).listen(() => {});
    await other.close();
    expect(other.status()).toEqual({ state: 'disconnected', problem: 'closed' });
    await rabbit.restart();
  },
  patient,
);
