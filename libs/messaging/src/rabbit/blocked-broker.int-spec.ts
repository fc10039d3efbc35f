import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { itWithPrivateBroker as it } from '../../../../test/support/needs.js';
import { startRabbit, type Rabbit } from '../../../../test/support/rabbitmq.js';
import { anEvent, aWord, listen } from '../event-bus.contract.js';
import { createRabbitBus } from '../index.js';
import type { Outbox, StoredEvent } from '../outbox/outbox.js';
import { OutboxRelay } from '../outbox/outbox-relay.js';

const patient = 300_000;

let rabbit: Rabbit;
beforeAll(async () => {
  rabbit = await startRabbit();
}, patient);
afterAll(() => rabbit.stop(), patient);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const usedBytes = (): number => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

it(
  'keeps no memory of what it cannot publish: a blocked broker may stay so for as long as it likes',
  async () => {
    const own = aWord();
    const bus = createRabbitBus({ url: rabbit.url, instanceId: own, limits: { confirmMs: 1_000, reopenMs: 50 } });
    await listen(bus, own, `authorization.${own}`, () => {});
    let settled = 0;
    // A table that is never empty, as a disk is large.
    const outbox: Outbox = {
      settle: async (ids) => void (settled += ids.length),
      sweep: async ({ limit }, publish) => {
        const published = await publish(Array.from({ length: limit }, anEntry));
        settled += published.length;
        return limit;
      },
    };
    const anEntry = (): StoredEvent => {
      const outgoing = anEvent(`authorization.${own}`, 'x'.repeat(1_000) + Math.random());
      return { id: outgoing.event.id, outgoing };
    };
    const relay = new OutboxRelay({ outbox, publisher: bus });
    relay.offer([anEntry()]);
    while (settled === 0) await new Promise((resolve) => setImmediate(resolve));

    await rabbit.ctl(['set_vm_memory_high_watermark', '0']);
    // The broker takes a while to notice what it lacks.
    const isTaken = (): Promise<boolean> =>
      bus.publish(anEntry().outgoing).then(
        () => true,
        () => false,
      );
    while (await isTaken());
    expect(bus.status().problem).toContain('the broker takes no messages');
    const used: number[] = [];
    settled = 0;
    for (let round = 0; round < 6; round++) {
      for (let batch = 0; batch < 20; batch++) {
        relay.offer(Array.from({ length: 1_000 }, anEntry));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await relay.sweepOnce();
      used.push(usedBytes());
    }
    expect(settled).toBe(0);
    // Each round offers more than 20 MB: were they kept, five rounds would take 100.
    expect(used.at(-1)! - used[0]!).toBeLessThan(20_000_000);

    await rabbit.ctl(['set_vm_memory_high_watermark', 'absolute', '512MB']);
    await bus.whenConnected();
    while (settled === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      await relay.sweepOnce();
    }
    await relay.stop();
    await bus.close();
  },
  patient,
);
