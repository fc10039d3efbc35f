import type { RequestStore } from '#lib/persistence';
import type { StartAuthentication } from './start-authentication.js';

/** A request whose event is on its way is left to it for so long. */
const olderThanSeconds = 5;
/** More than all lanes of a few slow providers hold, so that what they hold does not hide the rest. */
const limit = 20_000;
/** Those that are looked at together share their reading. */
const together = 1000;

/** Starts what nobody is starting: its event was lost, its lane was full, or its process died. */
export class SweepUnstarted {
  constructor(
    private readonly requests: Pick<RequestStore, 'unstarted'>,
    private readonly startAuthentication: StartAuthentication,
    private readonly refusedClientWaitSeconds: number,
  ) {}

  async run(stopping: AbortSignal): Promise<void> {
    const ids = await this.requests.unstarted({
      olderThanSeconds,
      limit,
      pausedForSeconds: this.refusedClientWaitSeconds,
    });
    for (let from = 0; from < ids.length && !stopping.aborted; from += together) {
      await Promise.all(ids.slice(from, from + together).map((id) => this.startAuthentication.run(id, null)));
    }
  }
}
