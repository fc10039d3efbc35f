import { CallOrigins, isLoopback, ProblemError } from '#lib/runtime';

/** The part of an incoming call that is looked at. */
export interface TransportedCall {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Over which connections notifications may come. */
export class NotificationTransport {
  readonly #origins: CallOrigins;
  readonly #allowLoopback: boolean;

  /** @throws Error when a trusted proxy is no network */
  constructor(options: { readonly trustedProxies: readonly string[]; readonly allowLoopback: boolean }) {
    this.#origins = new CallOrigins(options.trustedProxies);
    this.#allowLoopback = options.allowLoopback;
  }

  /**
   * The address that a notification comes from. Plain http is refused but for development on one machine: a token that
   * travelled in the clear proves nothing (CIBA Core 1.0 §9).
   *
   * @throws ProblemError `insecure_transport`
   */
  sourceOf({ socket, headers }: TransportedCall): string {
    const encrypted = 'encrypted' in socket && socket.encrypted === true;
    const origin = this.#origins.of({ peer: socket.remoteAddress, encrypted, headers });
    const permitted = origin.encrypted || (this.#allowLoopback && isLoopback(origin.source));
    if (!permitted) throw new ProblemError('insecure_transport', 'Notifications are taken over https only.');
    return origin.source;
  }
}
