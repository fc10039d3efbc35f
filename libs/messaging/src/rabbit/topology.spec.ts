import { expect, it } from '@jest/globals';
import { hintQueue, workQueues } from './topology.js';

const from = { exchange: 'assent.authorizations', pattern: 'authorization.requested' } as const;

/** A queue that exists can never be declared with other arguments: a change here needs a plan for running brokers. */
it('declares for a consumer group exactly this', () => {
  expect(workQueues('ciba-worker.authorization.requested', from, [1_000, 5_000])).toEqual([
    {
      name: 'ciba-worker.authorization.requested.dead',
      options: {
        durable: true,
        arguments: {
          'x-queue-type': 'quorum',
          'x-overflow': 'drop-head',
          'x-max-length': 100_000,
          'x-delivery-limit': 1_000_000,
        },
      },
      bindings: [{ exchange: 'assent.dead', routingKey: 'ciba-worker.authorization.requested' }],
    },
    {
      name: 'ciba-worker.authorization.requested',
      options: {
        durable: true,
        arguments: {
          'x-queue-type': 'quorum',
          'x-dead-letter-exchange': 'assent.dead',
          'x-dead-letter-routing-key': 'ciba-worker.authorization.requested',
          'x-dead-letter-strategy': 'at-least-once',
          'x-overflow': 'reject-publish',
          'x-max-length': 1_000_000,
          'x-delivery-limit': 20,
        },
      },
      bindings: [{ exchange: 'assent.authorizations', routingKey: 'authorization.requested' }],
    },
    ...[1_000, 5_000].map((delayMs) => ({
      name: `ciba-worker.authorization.requested.retry.${delayMs}ms`,
      options: {
        durable: true,
        arguments: {
          'x-queue-type': 'quorum',
          'x-dead-letter-exchange': '',
          'x-dead-letter-routing-key': 'ciba-worker.authorization.requested',
          'x-dead-letter-strategy': 'at-least-once',
          'x-overflow': 'reject-publish',
          'x-max-length': 1_000_000,
          'x-delivery-limit': 20,
          'x-message-ttl': delayMs,
        },
      },
      bindings: [],
    })),
  ]);
});

it('declares for one process a queue that dies with it', () => {
  expect(hintQueue('poller.decision.#.a1.1', { exchange: 'assent.decisions', pattern: 'decision.#' })).toEqual({
    name: 'poller.decision.#.a1.1',
    options: {
      durable: false,
      exclusive: true,
      autoDelete: true,
      arguments: { 'x-queue-type': 'classic', 'x-overflow': 'drop-head', 'x-max-length': 10_000 },
    },
    bindings: [{ exchange: 'assent.decisions', routingKey: 'decision.#' }],
  });
});
