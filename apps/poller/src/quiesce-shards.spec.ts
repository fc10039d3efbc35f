import { expect, it } from '@jest/globals';
import {
  PendingAuthentications,
  type NewPendingAuthentication,
  type Phase,
  type Terms,
} from './pending-authentications.js';
import { QuiesceShards } from './quiesce-shards.js';

const terms = { rule: { id: 'rule', version: 1 } } as Terms;

it('releases no shard clean in which something is still busy when the time is over, and forgets all of them', async () => {
  const pending = new PendingAuthentications();
  const add = (shard: number, phase: Phase): void => {
    const request = { requestId: `r${shard}`, shard, sentAt: new Date(0) } as NewPendingAuthentication;
    pending.enter(pending.add(request, terms), phase);
  };
  add(1, 'waiting');
  add(2, 'busy');
  add(3, 'held');
  const dropped: number[] = [];
  const quiesce = new QuiesceShards(pending, {
    settled: () => new Promise(() => undefined),
    dropShard: (shard) => void dropped.push(shard),
  });

  expect(await quiesce.run([1, 2, 3], 1)).toEqual({ clean: [1, 3], unclean: [2] });
  expect(dropped).toEqual([1, 2, 3]);
});
