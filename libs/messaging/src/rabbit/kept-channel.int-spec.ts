import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import type { Channel } from 'amqplib';
import { itWithBroker as it } from '../../../../test/support/needs.js';
import { sharedRabbit, type BrokerAccess } from '../../../../test/support/rabbitmq.js';
import { Journal } from '../event-bus.contract.js';
import { KeptChannel, type ChannelUse } from './kept-channel.js';
import { defaultLimits } from './limits.js';

let broker: BrokerAccess;
beforeAll(async () => {
  broker = await sharedRabbit();
}, 120_000);
afterAll(() => broker.stop(), 60_000);

const open = new Set<KeptChannel<Channel>>();
afterEach(async () => {
  for (const kept of open) await kept.close();
  open.clear();
});

interface SetUp {
  readonly channel: Channel;
  readonly renew: (why: string) => void;
}

function keep(use: Partial<ChannelUse<Channel>> = {}, url = broker.url) {
  const setUps = new Journal<SetUp>();
  const losses = new Journal<'lost'>();
  const statuses = new Journal<string>();
  const kept: KeptChannel<Channel> = new KeptChannel<Channel>(
    {
      name: 'test',
      open: (model) => model.createChannel(),
      setUp: async (channel, renew) => setUps.add({ channel, renew }),
      lost: () => losses.add('lost'),
      ...use,
    },
    {
      url,
      // A busy machine may be slow to connect; only setting up has to end within the test.
      limits: { ...defaultLimits, reopenMs: 10, connectMs: 60_000, callMs: 30_000, setUpMs: 2_000 },
      log: () => {},
      changed: () => statuses.add(`${kept.status.state}: ${kept.status.problem}`),
    },
  );
  open.add(kept);
  return { kept, setUps, losses, statuses };
}

it('opens another channel after a channel error, on the same connection', async () => {
  const { setUps, losses, statuses } = keep();
  const first = await setUps.next();
  expect(await statuses.next()).toBe('connected: null');

  first.channel.ack({ fields: { deliveryTag: 999 } } as never);

  await losses.next();
  expect(await statuses.next()).toContain('unknown delivery tag 999');
  const second = await setUps.next();
  expect(await statuses.next()).toBe('connected: null');
  expect(second.channel).not.toBe(first.channel);
  expect(second.channel.connection).toBe(first.channel.connection);
});

it('opens another channel when its user says so, and closes the old one', async () => {
  const { setUps, losses, statuses } = keep();
  const first = await setUps.next();
  await statuses.next();
  const oldOne = new Promise<void>((resolve) => first.channel.on('close', resolve));
  first.renew('because');

  await losses.next();
  await setUps.next();
  await oldOne;
  expect(losses.unread).toBe(0);
});

it('tries again when the set-up fails or takes for ever', async () => {
  const attempts = new Journal<number>();
  let count = 0;
  const { statuses } = keep({
    setUp: async () => {
      attempts.add(++count);
      if (count === 1) throw new Error('the topology does not fit');
      if (count === 2) await new Promise(() => {});
    },
  });
  expect(await attempts.take(3)).toEqual([1, 2, 3]);
  expect(await statuses.take(3)).toEqual([
    'disconnected: the topology does not fit',
    'disconnected: setting up the channel took longer than 2000 ms',
    'connected: null',
  ]);
});

it('opens no channel after it was closed', async () => {
  const { kept, setUps, statuses } = keep();
  const { renew } = await setUps.next();
  await statuses.next();
  renew('the last thing before the end');
  await kept.close();

  expect(kept.status).toEqual({ state: 'disconnected', problem: 'closed' });
  const another = keep();
  await another.setUps.next();
  expect(setUps.unread).toBe(0);
});

it('says what the broker says when it lets nobody in, and not the password', async () => {
  const url = new URL(broker.url);
  url.username = 'guest';
  url.password = 'wrong';
  const { statuses } = keep({}, url.href);
  const status = await statuses.next();
  expect(status).toContain('ACCESS-REFUSED');
  expect(status).not.toContain('wrong');
});
