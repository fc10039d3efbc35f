import { counter, gauge, histogram } from '#lib/runtime';
import type { PollAnswer } from './after-poll.js';

/** What the poller tells about itself at /metrics. */
export class PollerMetrics {
  readonly #polls = counter({
    name: 'assent_polls_total',
    help: 'Polls made, by what came back.',
    labelNames: ['outcome'],
  });
  readonly #lateness = histogram({
    name: 'assent_poll_lateness_seconds',
    help: 'How long after its moment a poll went out.',
    labelNames: ['provider'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  });
  readonly #pending = gauge({
    name: 'assent_pending_authentications',
    help: 'Pending requests that this process polls.',
  });
  readonly #inFlight = gauge({ name: 'assent_polls_in_flight', help: 'Polls that wait for their answer.' });
  readonly #shards = gauge({ name: 'assent_owned_shards', help: 'Shards that this process owns.' });
  readonly #down = gauge({ name: 'assent_providers_down', help: 'Providers that do not answer polls.' });

  /** Kept, for making a label's own counter out of the label again costs more than to count. */
  readonly #pollsWith = new Map<PollAnswer['kind'], { inc(): void }>();
  readonly #latenessAt = new Map<string, { observe(seconds: number): void }>();

  /** A poll went out. */
  sent(tokenProviderId: string, latenessMs: number): void {
    let lateness = this.#latenessAt.get(tokenProviderId);
    if (lateness === undefined) {
      lateness = this.#lateness.labels({ provider: tokenProviderId });
      this.#latenessAt.set(tokenProviderId, lateness);
    }
    lateness.observe(latenessMs / 1000);
  }

  /** A poll has ended. */
  ended(outcome: PollAnswer['kind']): void {
    let polls = this.#pollsWith.get(outcome);
    if (polls === undefined) {
      polls = this.#polls.labels({ outcome });
      this.#pollsWith.set(outcome, polls);
    }
    polls.inc();
  }

  /** How things stand; told with every renewal of the leases. */
  state(now: { pending: number; inFlight: number; shards: number; providersDown: number }): void {
    this.#pending.set(now.pending);
    this.#inFlight.set(now.inFlight);
    this.#shards.set(now.shards);
    this.#down.set(now.providersDown);
  }
}
