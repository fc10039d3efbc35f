import { expect, it } from '@jest/globals';
import { metrics, silentLog } from '#lib/runtime';
import { OutboxWatch } from './outbox-watch.js';

it('tells how many events wait, and for how long', async () => {
  const waits = [
    { events: 3, oldestSeconds: 7.5 },
    { events: 0, oldestSeconds: 0 },
  ];
  const watch = new OutboxWatch({ waiting: async () => waits.shift()! }, silentLog);
  await watch.look();
  expect(await metrics.metrics()).toMatch(/^assent_outbox_events 3$[^]*^assent_outbox_oldest_seconds 7\.5$/m);
  await watch.look();
  expect(await metrics.metrics()).toMatch(/^assent_outbox_events 0$[^]*^assent_outbox_oldest_seconds 0$/m);
});
