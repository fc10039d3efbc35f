import { afterAll, beforeAll, expect } from '@jest/globals';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { filter, firstValueFrom } from 'rxjs';
import { describeWithBroker, itWithBroker as it } from '../../../../test/support/needs.js';
import { sharedRabbit, type BrokerAccess } from '../../../../test/support/rabbitmq.js';
import { anEvent, aWord, deadLog, describeEventBus, Journal, listen, type BusSettings } from '../event-bus.contract.js';
import { createRabbitBus, type EventBus, type EventTransport, type Log, type RabbitLimits } from '../index.js';

let broker: BrokerAccess;
let client: ChannelModel;
let channel: Channel;
beforeAll(async () => {
  broker = await sharedRabbit();
  client = await connect(broker.url);
  channel = await client.createChannel();
}, 300_000);
afterAll(async () => {
  await client.close();
  await broker.stop();
}, 60_000);

describeWithBroker('with a broker', () => {
  describeEventBus('RabbitMQ', () => {
    const buses: EventBus[] = [];
    return {
      process: ({ log, ...limits }: BusSettings = {}) => {
        const bus = createRabbitBus({ url: broker.url, instanceId: aWord(), log, limits });
        buses.push(bus);
        return bus;
      },
      end: async () => void (await Promise.all(buses.map((bus) => bus.close()))),
    };
  });
});

/** A bus of one process, closed after its use. */
async function withBus(
  settings: Partial<RabbitLimits> & { log?: Log },
  use: (bus: EventBus) => Promise<void>,
): Promise<void> {
  const { log, ...limits } = settings;
  const bus = createRabbitBus({ url: broker.url, instanceId: aWord(), log, limits: { reopenMs: 20, ...limits } });
  try {
    await bus.whenConnected();
    await use(bus);
  } finally {
    await bus.close();
  }
}

/** Resolves when the transport has lost its channel. */
async function disconnected(transport: EventTransport): Promise<void> {
  await firstValueFrom(transport.status.pipe(filter((state) => state === 'disconnected')));
}

it('shows every process all dead letters, whoever looks at the same time', async () => {
  const own = aWord();
  const queue = `${own}.authorization.${own}`;
  const { log, dead } = deadLog();
  await withBus({ retryDelaysMs: [], log }, async (bus) => {
    await withBus({}, async (other) => {
      await listen(bus, own, `authorization.${own}`, () => {
        throw new Error('not today');
      });
      for (let index = 0; index < 20; index++) await bus.publish(anEvent(`authorization.${own}`, index));
      for (let index = 0; index < 20; index++) await dead.next();
      // What one has in its hands the other would take for gone, and for new when it is back.
      const looks = [1, 2, 3].flatMap(() => [
        bus.deadLetters.list([queue], 100).then(({ length }) => length),
        other.deadLetters.count([queue]).then((counts) => counts.get(queue)),
        other.deadLetters.list([queue], 100).then(({ length }) => length),
      ]);
      expect(await Promise.all(looks)).toEqual(looks.map(() => 20));
    });
  });
});

it('sends CloudEvents in structured mode, persistent, under the id of the event', async () => {
  const own = aWord();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await withBus({}, async (bus) => {
    await channel.bindQueue(queue, 'assent.decisions', `decision.${own}`);
    const sent = anEvent(`decision.${own}`);
    await bus.publish(sent);

    const message = await channel.get(queue, { noAck: true });
    if (!message) throw new Error('confirmed, and not there');
    expect(JSON.parse(message.content.toString())).toEqual(sent.event);
    expect(message.properties).toMatchObject({
      contentType: 'application/cloudevents+json',
      deliveryMode: 2,
      messageId: sent.event.id,
      type: sent.event.type,
    });
  });
});

it.each([
  ['no JSON', 'hello', 'Malformed: not JSON'],
  ['JSON of another kind', '{"hello":"world"}', 'Malformed: not a CloudEvent'],
  ['too long', 'x'.repeat(1_048_577), 'Malformed: longer than 1048576 bytes'],
])('moves a message from outside that is %s to the dead queue', async (_, body, reason) => {
  const own = aWord();
  const { log, dead } = deadLog();
  await withBus({ log }, async (bus) => {
    await listen(bus, own, 'decision.approved', () => {
      throw new Error('must not be called');
    });
    channel.sendToQueue(`${own}.decision.approved`, Buffer.from(body));

    expect((await dead.next()).reason).toContain(reason);
    const [letter] = await bus.deadLetters.list([`${own}.decision.approved`], 100);
    expect(letter!.body === body).toBe(true);
    expect(letter!.reason.includes('hello')).toBe(false);
  });
});

it('gives up a message on which process after process dies, and no other', async () => {
  const own = aWord();
  const queue = `${own}.authorization.${own}`;
  await withBus({}, async (bus) => {
    const transport = await listen(bus, own, `authorization.${own}`, () => {});
    await transport.close();
    const fatal = anEvent(`authorization.${own}`, 'fatal');
    await bus.publish(fatal);

    const dead = new Journal<string>();
    await channel.consume(`${queue}.dead`, (message) => dead.add(message!.content.toString()));
    let deaths = 0;
    for (; dead.unread === 0 && deaths < 100; deaths++) {
      const dying = await client.createChannel();
      await dying.get(queue);
      await dying.close();
    }
    expect(await dead.next()).toBe(JSON.stringify(fatal.event));
    expect(deaths).toBeGreaterThanOrEqual(20);

    const calls = new Journal<unknown>();
    await bus.publish(anEvent(`authorization.${own}`, 'harmless'));
    await listen(bus, own, `authorization.${own}`, (payload) => calls.add(payload));
    expect(await calls.next()).toBe('harmless');
  });
});

it('says why when a queue exists with other arguments, keeps trying, and consumes when that is repaired', async () => {
  const own = aWord();
  const queue = `${own}.authorization.${own}`;
  const log = new Journal<string>();
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 } });
  await withBus({ log: (_, message, detail) => log.add(`${message} ${JSON.stringify(detail)}`) }, async (bus) => {
    const calls = new Journal<unknown>();
    const transport = bus.consumer(own);
    transport.addHandler(`authorization.${own}`, async (payload) => calls.add(payload), true);
    transport.listen(() => {});
    let line = await log.next();
    while (!line.includes('406')) line = await log.next();

    expect(bus.status()).toMatchObject({ state: 'disconnected' });
    expect(bus.status().problem).toContain(`inequivalent arg`);
    expect(bus.status().problem).toContain(queue);

    await channel.deleteQueue(queue);
    await bus.whenConnected();
    expect(bus.status()).toEqual({ state: 'connected', problem: null });
    await bus.publish(anEvent(`authorization.${own}`, 'at last'));
    expect(await calls.next()).toBe('at last');
  });
});

it('consumes again after the broker has cancelled the consumer', async () => {
  const own = aWord();
  await withBus({}, async (bus) => {
    const calls = new Journal<unknown>();
    const transport = await listen(bus, own, `authorization.${own}`, (payload) => calls.add(payload));
    const lost = disconnected(transport);
    await channel.deleteQueue(`${own}.authorization.${own}`);
    await lost;
    expect(bus.status().problem).toContain('the broker cancelled the consumer');

    await bus.whenConnected();
    await bus.publish(anEvent(`authorization.${own}`, 'after'));
    expect(await calls.next()).toBe('after');
  });
});

it('hears again what is waited for, and says so, after its channel was lost', async () => {
  const own = aWord();
  await withBus({}, async (bus) => {
    const calls = new Journal<unknown>();
    const hearing = new Journal<'hearing'>();
    const attention = bus.attention(() => hearing.add('hearing'));
    const transport = bus.consumer(own);
    transport.addHandler(`authorization.${own}`, async () => {}, true);
    transport.addHandler(`decision.${own}`, async (payload) => calls.add(payload), true, {
      delivery: 'every-waiting-instance',
    });
    transport.listen(() => {});
    await bus.whenConnected();
    attention.begin();
    await hearing.next();

    const lost = disconnected(transport);
    await channel.deleteQueue(`${own}.authorization.${own}`);
    await lost;
    await hearing.next();
    await bus.whenConnected();
    await bus.publish(anEvent(`decision.${own}`, 'after'));
    expect(await calls.next()).toBe('after');
  });
});

it('leaves in peace the processes in which nobody waits', async () => {
  const own = aWord();
  const calls = new Journal<string>();
  await withBus({}, async (publisher) => {
    await withBus({}, async (idle) => {
      await listen(idle, own, `decision.${own}`, () => calls.add('idle'), 'every-waiting-instance');
      await withBus({}, async (waiting) => {
        const hearing = new Journal<'hearing'>();
        await listen(waiting, own, `decision.${own}`, () => calls.add('waiting'), 'every-waiting-instance');
        waiting.attention(() => hearing.add('hearing')).begin();
        await hearing.next();
        await publisher.publish(anEvent(`decision.${own}`));
        expect(await calls.next()).toBe('waiting');
      });
      await expect(publisher.publish(anEvent(`decision.${own}`))).rejects.toThrow('no queue takes');
      expect(calls.unread).toBe(0);
    });
  });
});

it('declares a retry queue again that somebody deleted, and still retries', async () => {
  const own = aWord();
  await withBus({ retryDelaysMs: [10], copyAgainMs: 1 }, async (bus) => {
    const calls = new Journal<number>();
    await listen(bus, own, `authorization.${own}`, (_, { attempt }) => {
      calls.add(attempt);
      if (attempt === 1) throw new Error('not yet');
    });
    await channel.deleteQueue(`${own}.authorization.${own}.retry.10ms`);
    await bus.publish(anEvent(`authorization.${own}`));

    let attempt = await calls.next();
    while (attempt === 1) attempt = await calls.next();
    expect(attempt).toBe(2);
  });
});

it('has its publishing channel back after a channel error', async () => {
  const own = aWord();
  const log = new Journal<string>();
  await withBus({ log: (_, message) => log.add(message) }, async (bus) => {
    await listen(bus, own, `authorization.${own}`, () => {});
    const nowhere = { ...anEvent(`authorization.${own}`), exchange: 'assent.nowhere' as 'assent.decisions' };
    await expect(bus.publish(nowhere)).rejects.toThrow();
    let line = await log.next();
    while (!/^publisher .* disconnected$/.test(line)) line = await log.next();

    await bus.whenConnected();
    await bus.publish(anEvent(`authorization.${own}`));
  });
});

it('refuses to publish more than it may have unconfirmed', async () => {
  const own = aWord();
  await withBus({ maxUnconfirmed: 2 }, async (bus) => {
    await listen(bus, own, `authorization.${own}`, () => {});
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => bus.publish(anEvent(`authorization.${own}`))));
    expect(outcomes.map((each) => each.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    await bus.publish(anEvent(`authorization.${own}`));
  });
});

it.each(['http://127.0.0.1', 'nonsense', ''])('refuses the address "%s" without repeating it', (url) => {
  expect(() => createRabbitBus({ url, instanceId: 'a' })).toThrow(/^the broker address is no amqp\(s\):\/\/ URL$/);
});
