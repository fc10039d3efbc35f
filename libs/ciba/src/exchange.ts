import type { Dispatcher, Pool } from 'undici';
import { decodeBody } from './answer-body.js';
import type { JsonObject } from './strict-json.js';

/** Bytes of an answer that are read at most, compressed and decompressed alike. */
export const maximumAnswerBytes = 256 * 1024;

/** A complete answer of the provider. */
export interface Answer {
  readonly status: number;
  /** The Retry-After header as received. */
  readonly retryAfter: string | null;
  /** The provider's time (RFC 9110 §6.6.1) as received; null when it told none or a cache answered in its place. */
  readonly date?: string | null;
  /** The nonce that the provider wants in proofs of possession (RFC 9449 §8). */
  readonly dpopNonce?: string | null;
  /** Null when the body is too large or not a JSON object that everybody reads alike. */
  readonly body: JsonObject | null;
}

/** How one HTTP exchange ended. */
export type Exchange =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** Not one byte of the request can have been acted upon. */
  | { readonly kind: 'not-sent'; readonly detail: string }
  /** The request was on its way when the exchange broke. */
  | { readonly kind: 'lost'; readonly detail: string };

/** An address whose URL was parsed once. */
export interface Target {
  readonly url: string;
  readonly pool: Pool;
  readonly path: string;
}

/** One request; `body` null means GET. */
export interface Outgoing {
  readonly target: Target;
  /** Names and values in turn, as they go out. */
  readonly headers: readonly string[];
  readonly body: string | null;
  /** For everything together: waiting for a connection, sending, and the last byte of the answer. */
  readonly timeoutMs: number;
}

/** Makes exactly one request, follows no redirect, repeats nothing, and never rejects. */
export function exchange(outgoing: Outgoing): Promise<Exchange> {
  return new Promise((resolve) => {
    const { target, headers, body, timeoutMs } = outgoing;
    const reader = new ExchangeReader(resolve, timeoutMs);
    const method = body === null ? 'GET' : 'POST';
    try {
      target.pool.dispatch({ path: target.path, method, headers: headers as string[], body }, reader);
    } catch (error) {
      reader.onResponseError(null, error as Error);
    }
  });
}

/**
 * Reads one answer and knows at any moment whether the request has left us.
 *
 * undici calls `onRequestStart` on an established connection right before it writes. What fails earlier (name, address,
 * handshake, waiting for a connection) was not sent; what fails later is lost, unless the other side refused the handshake.
 */
class ExchangeReader implements Dispatcher.DispatchHandler {
  private readonly deadline: NodeJS.Timeout;
  private readonly chunks: Buffer[] = [];
  private controller: Dispatcher.DispatchController | null = null;
  private settled = false;
  private size = 0;
  private status = 0;
  private retryAfter: string | null = null;
  private date: string | null = null;
  private dpopNonce: string | null = null;
  private contentEncoding: string | null = null;

  constructor(
    private readonly resolve: (exchange: Exchange) => void,
    timeoutMs: number,
  ) {
    this.deadline = setTimeout(() => {
      this.break('no complete answer in time');
      this.cutOff();
    }, timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // A second start would be a second request: an answer given up on, or a connection lost under the first one.
    if (this.settled || this.controller !== null) {
      controller.abort(new Error('not sent again'));
      return;
    }
    this.controller = controller;
  }

  onResponseStart(_controller: unknown, status: number, headers: Record<string, string | string[] | undefined>): void {
    this.status = status;
    this.retryAfter = firstOf(headers['retry-after']);
    this.date = headers['age'] === undefined ? firstOf(headers['date']) : null;
    this.dpopNonce = firstOf(headers['dpop-nonce']);
    this.contentEncoding = firstOf(headers['content-encoding']);
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size <= maximumAnswerBytes) {
      this.chunks.push(chunk);
      return;
    }
    this.answer(null);
    this.cutOff();
  }

  onResponseEnd(): void {
    this.answer(decodeBody(Buffer.concat(this.chunks, this.size), this.contentEncoding, maximumAnswerBytes));
  }

  onResponseError(_controller: unknown, error: Error): void {
    const code = errorCode(error);
    if (this.controller !== null && isHandshakeRefusal(code)) this.settle({ kind: 'not-sent', detail: code });
    else this.break(code);
  }

  private answer(body: JsonObject | null): void {
    const { status, retryAfter, date, dpopNonce } = this;
    this.settle({ kind: 'answered', answer: { status, retryAfter, date, dpopNonce, body } });
  }

  private break(detail: string): void {
    this.settle({ kind: this.controller === null ? 'not-sent' : 'lost', detail });
  }

  private settle(result: Exchange): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.deadline);
    this.resolve(result);
  }

  /** Closes the connection under an answer that nobody waits for any more. */
  private cutOff(): void {
    this.controller?.abort(new Error('nobody waits for the rest'));
  }
}

function firstOf(header: string | string[] | undefined): string | null {
  return (Array.isArray(header) ? header[0] : header) ?? null;
}

/** Only the code: messages may quote what was sent. */
function errorCode(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && /^[A-Z0-9_]{1,80}$/.test(code) ? code : 'connection failed';
}

/**
 * In TLS 1.3 our side of the handshake is complete before the server has looked at our certificate, so its refusal comes
 * after the request was written; the server has not read it (RFC 8446 §4.4.2.4, §6.2).
 */
function isHandshakeRefusal(code: string): boolean {
  return /^ERR_SSL_.*ALERT_.*(CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|PROTOCOL_VERSION)/.test(code);
}
