import { OutboundRefused, type OutboundGuard } from '#lib/runtime';
import { Agent, request } from 'undici';
import { readAnswer, type Answer } from './answer.js';

/** Name resolution, connection, request and answer together may take this long. */
export const sendDeadlineMs = 15_000;
/** Of an answer's body this much is read, so that the connection can be used again, and dropped. */
const mostBodyBytes = 4096;

/** Sends signed deliveries to addresses that others chose; never follows a redirect. */
export class CallbackSender {
  readonly #agent: Agent;
  readonly #guard: OutboundGuard;
  readonly #deadlineMs: number;

  constructor(options: { readonly guard: OutboundGuard; readonly deadlineMs?: number }) {
    this.#guard = options.guard;
    this.#deadlineMs = options.deadlineMs ?? sendDeadlineMs;
    this.#agent = new Agent({ connect: options.guard.connector(), pipelining: 1, maxHeaderSize: 16_384 });
  }

  /**
   * POSTs the body; whatever goes wrong is an answer with a problem, never a throw. `cutOff` ends it when others need
   * its place.
   */
  async send(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    cutOff?: AbortSignal,
  ): Promise<Answer> {
    const refused = this.#guard.problem(url);
    if (refused !== null) return failure(`the address is refused: ${refused}`);
    // One signal for both ends: putting signals together takes longer than all else that is done here.
    const end = new AbortController();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      end.abort();
    }, this.#deadlineMs);
    const cut = () => end.abort();
    cutOff?.addEventListener('abort', cut, { once: true });
    if (cutOff?.aborted) cut();
    try {
      return await this.#post(url, headers, body, end.signal);
    } catch (error) {
      if (late) return failure(`no answer within ${this.#deadlineMs / 1000} s`);
      if (cutOff?.aborted) return failure('too many receivers are slow: this one was cut off to make room');
      return failure(explain(error));
    } finally {
      clearTimeout(timer);
      cutOff?.removeEventListener('abort', cut);
    }
  }

  /** Cuts off what is in flight. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #post(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    signal: AbortSignal,
  ): Promise<Answer> {
    const response = await request(url, {
      method: 'POST',
      dispatcher: this.#agent,
      headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'Assent' },
      body,
      signal,
      headersTimeout: this.#deadlineMs,
      bodyTimeout: this.#deadlineMs,
    });
    // The status has been said; a body that is cut or never ends changes nothing about it.
    await response.body.dump({ limit: mostBodyBytes, signal }).catch(() => undefined);
    const retryAfter = response.headers['retry-after'];
    return readAnswer(response.statusCode, Array.isArray(retryAfter) ? retryAfter[0] : retryAfter, new Date());
  }
}

const failure = (problem: string): Answer => ({ status: null, problem, retryAfterSeconds: null });

const wordsByCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection broke off',
  EPIPE: 'the connection broke off',
  UND_ERR_SOCKET: 'the connection broke off',
  ENOTFOUND: 'the host name does not resolve',
  EAI_AGAIN: 'the host name does not resolve just now',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the host cannot be reached',
  ETIMEDOUT: 'the connection was not made in time',
  UND_ERR_CONNECT_TIMEOUT: 'the connection was not made in time',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too long',
};

// By code, never by message: messages quote addresses, and an address may carry a credential in its query, or show where
// a name leads inside our network.
function explain(error: unknown): string {
  if (error instanceof OutboundRefused) return 'the address is refused: its host is not on the public internet';
  const { name, code = '' } = error as { readonly name?: string; readonly code?: string };
  if (Object.hasOwn(wordsByCode, code)) return wordsByCode[code]!;
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO)/.test(code)) return `TLS failed (${code})`;
  if (name === 'HTTPParserError') return 'the answer is not HTTP';
  return code === '' ? 'sending failed' : `sending failed (${code})`;
}
