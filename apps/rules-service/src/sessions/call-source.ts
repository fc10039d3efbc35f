import { CallOrigins } from '#lib/runtime';
import type { LocalCall } from './open-access.js';

/** The address that a call comes from, as far as it can be believed. */
export class CallSource {
  readonly #origins: CallOrigins;

  /** @throws Error when a trusted proxy is no network */
  constructor(trustedProxies: readonly string[]) {
    this.#origins = new CallOrigins(trustedProxies);
  }

  of({ socket, headers }: LocalCall): string {
    const encrypted = 'encrypted' in socket && socket.encrypted === true;
    return this.#origins.of({ peer: socket.remoteAddress, encrypted, headers }).source;
  }
}
