import { isLoopback } from '#lib/runtime';

/** The part of an incoming call that is looked at. */
export interface LocalCall {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

const forwarded = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/**
 * Whether the console may be used without a login: only where somebody tries Assent on their own machine.
 *
 * The name in `Host` is looked at too, or a page could have its own name lead to this machine (DNS rebinding); and a
 * proxy in front makes a call from elsewhere look like one from here.
 */
export class OpenAccess {
  readonly #open: boolean;

  constructor(options: { readonly open: boolean; readonly publicUrl: string | undefined }) {
    this.#open = options.open && (options.publicUrl === undefined || isLocalName(new URL(options.publicUrl).hostname));
  }

  permits({ socket, headers }: LocalCall): boolean {
    if (!this.#open || !isLoopback(socket.remoteAddress ?? '')) return false;
    if (forwarded.some((name) => headers[name] !== undefined)) return false;
    const host = headers['host'];
    return (
      typeof host === 'string' && URL.canParse(`http://${host}`) && isLocalName(new URL(`http://${host}`).hostname)
    );
  }
}

function isLocalName(hostname: string): boolean {
  return hostname === 'localhost' || isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
}
