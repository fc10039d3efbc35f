import { Database, type RequestView } from '#lib/persistence';
import { Injectable } from '@nestjs/common';
import { readsRequestsOf, type Caller } from '../access/caller.js';
import { stateOf } from './await-request.js';
import { noSuchRequest } from './no-such-request.js';
import { requestDocument } from './request-document.js';
import { Waiters, type Hint, type Watch } from './waiters.js';

/** Silence is broken this often, so that proxies keep the connection open. */
const pingMs = 15_000;

/** How soon a client connects again when a stream breaks off. */
const reconnectMs = 1000;

/** How a stream is asked for. */
export interface Listener {
  readonly caller: Caller;
  readonly id: string;
  /** `Last-Event-ID`: the last version that the caller saw. */
  readonly lastEventId: string | undefined;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
}

/** Streams a request's document, now and at each change, until its decision (server-sent events, HTML §9.2). */
@Injectable()
export class StreamAuthorizationRequest {
  constructor(
    private readonly database: Database,
    private readonly waiters: Waiters,
  ) {}

  /**
   * Null when the caller has seen all there is to come.
   *
   * @throws ProblemError `not_found`, `busy`
   */
  async run({ caller, id, lastEventId, signal }: Listener): Promise<AsyncIterable<string> | null> {
    const read = () => this.database.requests.view(id, readsRequestsOf(caller));
    const progress: Progress = { seen: seenVersion(lastEventId) };
    const watch = this.waiters.watch(id.toLowerCase(), (hint) => isNews(hint, progress.seen));
    // Also when the caller goes before the first event is asked for.
    if (signal.aborted) watch.close();
    else signal.addEventListener('abort', () => watch.close(), { once: true });
    const first = await read();
    if (first === null) throw noSuchRequest();
    if (first.decision !== null && first.stateVersion === progress.seen) return null;
    return events(first, read, watch, signal, progress);
  }
}

/** The last version that the caller has seen. */
interface Progress {
  seen: number | null;
}

async function* events(
  first: RequestView,
  read: () => Promise<RequestView | null>,
  watch: Watch,
  signal: AbortSignal,
  progress: Progress,
): AsyncIterable<string> {
  try {
    yield `retry: ${reconnectMs}\n\n`;
    for (let view: RequestView | null = first; view !== null;) {
      if (isNews(stateOf(view), progress.seen)) {
        progress.seen = view.stateVersion;
        yield eventOf(view);
      }
      if (view.decision !== null) return;
      const heard: boolean = await watch.heard(pingMs, signal);
      if (heard) view = await read();
      else if (signal.aborted || watch.ended) return;
      else yield ': ping\n\n';
    }
  } finally {
    watch.close();
  }
}

const eventOf = (view: RequestView): string =>
  `id: ${view.stateVersion}\nevent: ${view.status}\ndata: ${JSON.stringify(requestDocument(view))}\n\n`;

const seenVersion = (lastEventId: string | undefined): number | null =>
  lastEventId !== undefined && /^[1-9]\d{0,8}$/.test(lastEventId) ? Number(lastEventId) : null;

const isNews = ({ stateVersion }: Hint, seen: number | null): boolean => stateVersion === null || stateVersion !== seen;
