import type { BlockList } from 'node:net';
import { blockList, isWithin, parseNetwork, unmapped } from './networks.js';

/** What is known of a call before anything of it is believed. */
export interface ArrivingCall {
  /** The address at the other end of the connection. */
  readonly peer: string | undefined;
  /** Whether the connection that ends in this process is TLS. */
  readonly encrypted: boolean;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Where a call came from. */
export interface CallOrigin {
  /** The address of the caller: the first one, seen from here, that is no trusted proxy. */
  readonly source: string;
  /** Whether the call was encrypted all the way from there to the first trusted proxy, or to this process. */
  readonly encrypted: boolean;
}

/** Says where calls come from: what a header says counts only from a proxy that is trusted. */
export class CallOrigins {
  readonly #trusted: BlockList;

  /** @throws Error naming `ASSENT_TRUSTED_PROXIES` when one of them is no network */
  constructor(trustedProxies: readonly string[]) {
    this.#trusted = blockList(trustedProxies.map((cidr) => parseNetwork(cidr, 'ASSENT_TRUSTED_PROXIES')));
  }

  of({ peer = 'unknown', encrypted, headers }: ArrivingCall): CallOrigin {
    if (!isWithin(this.#trusted, peer)) return { source: unmapped(peer), encrypted };
    const elements = forwardedElements(textOf(headers['forwarded']));
    const said = [...listOf(headers['x-forwarded-proto']), ...elements.flatMap(({ proto }) => proto ?? [])];
    // The nearest proxy wrote the last element; if it does not say, what others wrote does not speak for it.
    if (headers['x-forwarded-proto'] === undefined && elements.length > 0)
      said.push(elements.at(-1)!.proto ?? 'unsaid');
    const hops = headers['x-forwarded-for'] === undefined ? elements.map((one) => one.for ?? 'unknown') : null;
    return {
      source: this.#sourceOf(hops ?? listOf(headers['x-forwarded-for']), peer),
      // Whoever sent the call may have written all values but the proxy's own, so each of them has to agree.
      encrypted: said.length > 0 ? said.every((proto) => proto.toLowerCase() === 'https') : encrypted,
    };
  }

  /** Each proxy adds the address that it was called from at the end; what stands further left may be made up. */
  #sourceOf(hops: readonly string[], peer: string): string {
    let source = peer;
    for (const hop of [...hops].reverse()) {
      source = addressOf(hop);
      if (!isWithin(this.#trusted, source)) break;
    }
    return unmapped(source);
  }
}

/** Whether an address is one of this machine's own (RFC 6890). */
export const isLoopback = (address: string): boolean => isWithin(loopback, address);

const loopback = blockList([
  ['127.0.0.0', 8, 'ipv4'],
  ['::1', 128, 'ipv6'],
]);

const textOf = (header: string | readonly string[] | undefined): string =>
  typeof header === 'string' ? header : (header ?? []).join(',');

const listOf = (header: string | readonly string[] | undefined): string[] =>
  textOf(header)
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');

/** The elements of a `Forwarded` header (RFC 7239 §4), as far as they are looked at. */
function forwardedElements(header: string): { readonly for?: string; readonly proto?: string }[] {
  if (header === '') return [];
  // A comma or semicolon inside quotes has no meaning in the values that count here.
  return header.split(',').map((element) => {
    const found: { for?: string; proto?: string } = {};
    for (const pair of element.split(';')) {
      const [name = '', value = ''] = pair.split(/=(.*)/s).map((part) => part.trim());
      const plain = value.replace(/^"(.*)"$/, '$1');
      if (name.toLowerCase() === 'for') found.for = plain;
      if (name.toLowerCase() === 'proto') found.proto = plain;
    }
    return found;
  });
}

/** `192.0.2.1:47011` and `[2001:db8::1]:47011` without port and brackets. */
function addressOf(hop: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1];
  return bracketed ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop;
}
