/** The part of Assent's documents that the shop reads. */
export interface AuthorizationRequest {
  readonly id: string;
  readonly status: string;
  readonly reason: string | null;
  readonly decision: { readonly outcome: string; readonly reason: string | null } | null;
}

export interface AuthorizationOrder {
  readonly rule: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly bindingMessage: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Assent said no: the code and the words of its problem document. */
export class AssentProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

const CALL_TIMEOUT_MS = 10_000;
const WAIT_SECONDS = 25;
const MAX_ANSWER_CHARACTERS = 256 * 1024;

/**
 * The shop's use of Assent, as any application would write it. Every method rejects with AssentProblem when Assent
 * refuses, and with another error when there is no answer: then the call may be repeated.
 */
export class AssentApi {
  constructor(
    private readonly assentUrl: string,
    private readonly apiKey: string,
    private readonly stopping: AbortSignal,
  ) {}

  /** Asks for an authorization; repeating it with the same key asks the person only once. */
  create(order: AuthorizationOrder, idempotencyKey: string): Promise<AuthorizationRequest> {
    return this.#call('POST', '', { body: order, headers: { 'idempotency-key': idempotencyKey } });
  }

  /** The request once it is decided, or as it is after a while. */
  waitForDecision(id: string): Promise<AuthorizationRequest> {
    const timeoutMs = WAIT_SECONDS * 1000 + CALL_TIMEOUT_MS;
    return this.#call('GET', `/${encodeURIComponent(id)}`, { headers: { prefer: `wait=${WAIT_SECONDS}` }, timeoutMs });
  }

  /** Uses the approval up; it succeeds once in all the world, and only for the attributes that were approved. */
  async consume(id: string, attributes: Readonly<Record<string, string>>): Promise<void> {
    await this.#call('POST', `/${encodeURIComponent(id)}/consume`, { body: { attributes } });
  }

  async cancel(id: string): Promise<void> {
    await this.#call('POST', `/${encodeURIComponent(id)}/cancel`, {});
  }

  async #call(
    method: 'GET' | 'POST',
    path: string,
    { body, headers, timeoutMs = CALL_TIMEOUT_MS }: { body?: object; headers?: object; timeoutMs?: number },
  ): Promise<AuthorizationRequest> {
    const answer = await fetch(new URL(`/v1/authorization-requests${path}`, this.assentUrl), {
      method,
      headers: {
        authorization: `Bearer ${this.apiKey}`,
        accept: 'application/json',
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      redirect: 'error',
      signal: AbortSignal.any([this.stopping, AbortSignal.timeout(timeoutMs)]),
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = (await answer.text()).slice(0, MAX_ANSWER_CHARACTERS);
    if (answer.status >= 500) throw new Error(`Assent answered ${answer.status}`);
    const document = JSON.parse(text || '{}') as AuthorizationRequest & { code?: string; detail?: string };
    if (answer.ok) return document;
    throw new AssentProblem(answer.status, document.code ?? 'refused', document.detail ?? `Status ${answer.status}`);
  }
}
