import { jsonResponse, type RawRequest } from './raw-http-server.js';
import { sharedNowMs } from './stub-provider.js';

/** What a receiver of callbacks has got since it was last reset. */
export interface ReceiverReport {
  readonly received: number;
  /** Requests whose decision came more than once. */
  readonly twice: number;
  /** When the decision of each request came, in ms of the clock that all processes share. */
  readonly receivedAtMs: ReadonlyMap<string, number>;
}

const accepted = 'HTTP/1.1 204 X\r\n\r\n';

/** Takes callbacks at any path but those of the provider; what is sent below `/hang` gets no answer. */
export class Receiver {
  #received = 0;
  #twice = 0;
  #receivedAt = new Map<string, number>();
  #awaited: { readonly count: number; readonly resolve: () => void } | null = null;

  handle({ path, body }: RawRequest): string | null {
    if (path.startsWith('/hang')) return null;
    const nowMs = sharedNowMs();
    const id = requestIdOf(body);
    if (id === null) return jsonResponse(400, {});
    this.#received++;
    if (this.#receivedAt.has(id)) this.#twice++;
    else this.#receivedAt.set(id, nowMs);
    if (this.#awaited && this.#receivedAt.size >= this.#awaited.count) this.#awaited.resolve();
    return accepted;
  }

  /** Resolves when decisions of so many requests have come. */
  async until(count: number, limitMs: number): Promise<void> {
    if (this.#receivedAt.size >= count) return;
    let timer: NodeJS.Timeout | undefined;
    const come = new Promise<void>((resolve) => (this.#awaited = { count, resolve }));
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${this.#receivedAt.size} of ${count} came in ${limitMs} ms`)),
        limitMs,
      );
    });
    await Promise.race([come, late]).finally(() => clearTimeout(timer));
  }

  report(): ReceiverReport {
    return { received: this.#received, twice: this.#twice, receivedAtMs: this.#receivedAt };
  }

  reset(): void {
    this.#received = this.#twice = 0;
    this.#receivedAt = new Map();
    this.#awaited = null;
  }
}

/** The decision document names the request; reading the whole of it would cost the receiver more than receiving it. */
function requestIdOf(body: string): string | null {
  return /"authorizationRequestId":"([0-9a-f-]{36})"/.exec(body)?.[1] ?? null;
}
