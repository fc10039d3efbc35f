import { expect, it } from '@jest/globals';
import { anEvent, describeEventBus, Journal, listen, type BusSettings } from '../event-bus.contract.js';
import { createInProcessBus, Refused, type EventBus } from '../index.js';

describeEventBus('in-process', () => {
  // One process: its first settings are those of all.
  let bus: EventBus | null = null;
  return {
    process: ({ log, ...limits }: BusSettings = {}) => (bus ??= createInProcessBus({ log, limits })),
    end: async () => bus?.close(),
  };
});

it('refuses what a full queue has no room for, and loses nothing of the rest', async () => {
  const bus = createInProcessBus({ limits: { maxQueued: 2, prefetch: 1 } });
  const begun = new Journal<unknown>();
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  await listen(bus, 'worker', 'decision.#', async (payload) => {
    begun.add(payload);
    await finished;
  });
  await bus.publish(anEvent('decision.approved', 'at work'));
  await begun.next();

  await bus.publish(anEvent('decision.approved', 'queued'));
  await bus.publish(anEvent('decision.approved', 'queued, too'));
  await expect(bus.publish(anEvent('decision.approved', 'too much'))).rejects.toThrow(Refused);

  finish();
  expect(await begun.take(2)).toEqual(['queued', 'queued, too']);
  await bus.close();
  expect(begun.unread).toBe(0);
});

it('drops the oldest hint when nobody takes them', async () => {
  const bus = createInProcessBus({ limits: { maxQueued: 2, prefetch: 1 } });
  const begun = new Journal<unknown>();
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const handler = async (payload: unknown): Promise<void> => {
    begun.add(payload);
    await finished;
  };
  await listen(bus, 'waiter', 'decision.#', handler, 'every-instance');
  await bus.publish(anEvent('decision.approved', 'at work'));
  await begun.next();

  for (const hint of ['oldest', 'older', 'newest']) await bus.publish(anEvent('decision.approved', hint));
  finish();
  expect(await begun.take(2)).toEqual(['older', 'newest']);
  await bus.close();
});
