import { setTimeout as pause } from 'node:timers/promises';
import type { EventCause, RequestStore, StartWork } from '#lib/persistence';
import type { Log } from '#lib/runtime';
import type { Next } from './conclude-attempt.js';
import type { HinderedStarts } from './hindered-starts.js';
import type { Conclusion, MakeAttempt } from './make-attempt.js';
import type { Place, ProviderLanes } from './provider-lanes.js';
import type { RefusedClients } from './refused-clients.js';

/** What requests are taken on with. */
export interface StartAuthenticationParts {
  readonly requests: Pick<RequestStore, 'startWork'>;
  readonly lanes: ProviderLanes;
  readonly refusedClients: Pick<RefusedClients, 'pause'>;
  readonly hindered: HinderedStarts;
  readonly makeAttempt: MakeAttempt;
  /** Aborts when no further attempt may begin. */
  readonly stopping: AbortSignal;
  readonly log: Log;
}

/**
 * Takes requests on, each once at a time in this process, and has attempts made until each is settled: every attempt in
 * its turn in the provider's lane.
 */
export class StartAuthentication {
  readonly #underWay = new Map<string, Promise<void>>();
  /** Requests that wait for a place in a full lane. */
  readonly #standingBy = new Set<string>();

  constructor(private readonly parts: StartAuthenticationParts) {}

  /**
   * Takes a request on and answers at once; its call waits for its turn in the provider's lane.
   *
   * So the message is acknowledged before its effect. That is safe, since the row is what counts and the sweep finds
   * it; and it is necessary, or messages of a slow provider would use up the consumer's prefetch window.
   *
   * @throws whatever keeps the request from being read
   */
  async run(requestId: string, cause: EventCause | null): Promise<void> {
    if (this.#standingBy.has(requestId)) return;
    await this.#takeOn(requestId, cause, (providerId) => this.parts.lanes.enter(providerId));
  }

  /** Answers whether the request has its place now, and gives it back when it is done. */
  async #takeOn(
    requestId: string,
    cause: EventCause | null,
    placeAt: (providerId: string) => Place | null,
  ): Promise<boolean> {
    const { requests, refusedClients, hindered, stopping } = this.parts;
    if (this.#underWay.has(requestId) || stopping.aborted) return false;
    const work = await requests.startWork(requestId);
    if (work?.status !== 'requested' || this.#underWay.has(requestId)) return false;
    if ('sealed' in work) {
      await hindered.whileSealed(work);
      return false;
    }
    const pause = refusedClients.pause(work.rule);
    if (pause !== null) {
      await hindered.whileRefused(work, pause);
      return false;
    }
    const { tokenProviderId } = work.definition;
    const place = placeAt(tokenProviderId);
    if (place === null) {
      this.#standBy(requestId, cause, tokenProviderId);
      return false;
    }
    const done = this.#attempts(work, cause, place)
      .catch((error: unknown) => this.#interrupted(requestId, error))
      .finally(() => {
        this.#underWay.delete(requestId);
        place.leave();
      });
    this.#underWay.set(requestId, done);
    return true;
  }

  /** A full lane: only the id is kept, and the request is read again when its place comes; the sweep finds the rest. */
  #standBy(requestId: string, cause: EventCause | null, providerId: string): void {
    const whenFree = (place: Place): void => {
      this.#standingBy.delete(requestId);
      void this.#takeOn(requestId, cause, () => place)
        .catch((error: unknown) => this.#interrupted(requestId, error))
        .then((taken) => {
          if (taken !== true) place.leave();
        });
    };
    if (this.parts.lanes.standBy(providerId, whenFree)) this.#standingBy.add(requestId);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values());
  }

  async #attempts(work: StartWork, cause: EventCause | null, place: Place): Promise<void> {
    const { makeAttempt, stopping } = this.parts;
    let next: Next = { inMs: 0, earlierPrompts: null, work };
    // The event is put on record with the first attempt only; for another one it would be a duplicate.
    for (let because = cause; next !== 'settled'; because = null) {
      const { inMs, earlierPrompts, work: asked }: Exclude<Next, 'settled'> = next;
      if (inMs > 0) await pause(inMs, undefined, { signal: stopping });
      // The turn ends with the answer: while it is committed, the provider can be asked about somebody else.
      const made: Next | Conclusion = await place.turn(async () =>
        stopping.aborted ? 'settled' : makeAttempt.run(asked, because, earlierPrompts),
      );
      next = typeof made === 'function' ? await made() : made;
    }
  }

  /** The sweep finds the request again, in whichever state it was left. */
  #interrupted(requestId: string, error: unknown): void {
    if (this.parts.stopping.aborted) return;
    this.parts.log.warn('Starting a request was interrupted; the sweep goes on with it', { requestId, error });
  }
}
