import { expect, it } from '@jest/globals';
import type { DeliveryWork } from '#lib/persistence';
import { createOutboundGuard, silentLog } from '#lib/runtime';
import { DeliverDecisions } from './deliver-decisions.js';
import { CallbackSender } from './send.js';

const url = 'https://Shop.Example/back';
const work = (id: string): DeliveryWork => ({
  id,
  webhookId: id,
  requestId: id,
  url: 'not an address',
  body: '{}',
  target: 'shop.example',
  kind: 'callback',
  secrets: [],
  failedAttempts: 0,
});

/** Deliveries whose claims the test answers, one after the other; nothing can be signed, so nothing is sent. */
function stage() {
  const claims: ((found: DeliveryWork[]) => void)[] = [];
  let asked = () => {};
  const deliveries = {
    claim: () => {
      const answer = new Promise<DeliveryWork[]>((resolve) => claims.push(resolve));
      asked();
      return answer;
    },
    finish: () => Promise.resolve([]),
  };
  const signingKeys = { current: () => Promise.reject(new Error('there is no key')) };
  const guard = createOutboundGuard({ allowLoopback: false, allowedNetworks: [] });
  const deliver = new DeliverDecisions({
    database: { deliveries, signingKeys } as never,
    sender: new CallbackSender({ guard }),
    log: silentLog,
  });
  /** Answers the next claim, and lets what follows from it happen. */
  const answer = async (found: DeliveryWork[]): Promise<void> => {
    if (claims.length === 0) await new Promise<void>((resolve) => (asked = resolve));
    claims.shift()!(found);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { deliver, answer };
}

it('holds a place for a callback only while nothing older can be waiting', async () => {
  const { deliver, answer } = stage();
  // Nobody knows yet what the last process left.
  expect(deliver.hold(url)).toBeNull();
  deliver.onApplicationBootstrap();
  expect(deliver.hold(url)).toBeNull();
  await answer([]);
  const place = deliver.hold(url)!;
  expect(place).not.toBeNull();
  place.free();

  // While a claim is under way it is not known either.
  deliver.wake();
  expect(deliver.hold(url)).toBeNull();
  // It got several of one receiver: there may be more.
  await answer([work('1'), work('2')]);
  expect(deliver.hold(url)).toBeNull();
  // The end of each claims again.
  await answer([]);
  await answer([]);
  const last = deliver.hold(url)!;
  expect(last).not.toBeNull();

  const stopped = deliver.onApplicationShutdown();
  expect(deliver.hold(url)).toBeNull();
  last.free();
  await stopped;
});
