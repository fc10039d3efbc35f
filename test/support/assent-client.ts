import type { AuthorizationRequestDocument, Consumption, Problem, Timeline } from '#lib/contracts';

/** An answer of the API: status, headers, and the parsed body (null when there is none). */
export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** Calls a running Assent as an application or an administrator would: plain HTTP, one API key. */
export class AssentClient {
  constructor(
    readonly url: string,
    readonly apiKey: string,
  ) {}

  /** One call; bodies are JSON. Nothing is retried, no status is an error. */
  async call<Body = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<Body>> {
    const answer = await fetch(path.startsWith('http') ? path : `${this.url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${this.apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: (text ? JSON.parse(text) : null) as Body };
  }

  /** Creates an administered object and answers it; throws when Assent refuses. */
  async create<Body extends { id: string }>(collection: string, body: unknown): Promise<Body> {
    const answer = await this.call<Body & Problem>('POST', `/v1/${collection}`, body);
    if (answer.status !== 201) throw new Error(`POST ${collection}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  submit(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer<AuthorizationRequestDocument>> {
    return this.call('POST', '/v1/authorization-requests', body, headers);
  }

  request(id: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer<AuthorizationRequestDocument>> {
    return this.call('GET', `/v1/authorization-requests/${id}`, undefined, headers);
  }

  consume(id: string, body?: unknown): Promise<Answer<Consumption & Problem>> {
    return this.call('POST', `/v1/authorization-requests/${id}/consume`, body);
  }

  cancel(id: string): Promise<Answer<AuthorizationRequestDocument & Omit<Problem, 'status'>>> {
    return this.call('POST', `/v1/authorization-requests/${id}/cancel`);
  }

  timeline(id: string): Promise<Answer<Timeline>> {
    return this.call('GET', `/v1/authorization-requests/${id}/timeline`);
  }

  /** Waits, in one call after the other, until the request has its decision. */
  async decided(id: string): Promise<AuthorizationRequestDocument> {
    for (let round = 0; round < 4; round++) {
      const { body } = await this.request(id, { prefer: 'wait=30' });
      if (body.decision !== null) return body;
    }
    throw new Error(`The request ${id} has no decision after two minutes.`);
  }
}
