import type { Problem } from '#lib/contracts';

/** An answer of the API that is not a success, or none at all (`status` 0). */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  constructor(readonly problem: Problem & Readonly<Record<string, unknown>>) {
    super(problem.detail || problem.title);
  }

  get status(): number {
    return this.problem.status;
  }

  get code(): string {
    return this.problem.code;
  }
}

/** Whether an answer means that nobody is logged in any more; the shell asks who it is, and the page stays. */
export const isSessionLost = (error: unknown): boolean => error instanceof ApiProblem && error.status === 401;

export interface CallOptions {
  readonly body?: unknown;
  /** The version that the change is meant for. */
  readonly version?: number;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

// What no other site has, and every change needs (the cookie goes along by itself).
let csrfToken: string | null = null;

/** Called by the session when it begins or ends. */
export function proveBy(token: string | null): void {
  csrfToken = token;
}

/**
 * Calls the API with the session of this browser. A change that is on its way is not sent a second time: whoever presses a
 * button twice gets the one answer twice.
 *
 * @throws ApiProblem
 */
export function call<Body>(method: Method, path: string, options: CallOptions = {}): Promise<Body> {
  if (method === 'GET') return ask(method, path, options);
  const change = JSON.stringify([method, path, options.version, options.body]);
  const underWay = changes.get(change);
  if (underWay !== undefined) return underWay as Promise<Body>;
  const answer = ask<Body>(method, path, options).finally(() => changes.delete(change));
  changes.set(change, answer);
  return answer;
}

const changes = new Map<string, Promise<unknown>>();

async function ask<Body>(method: Method, path: string, options: CallOptions): Promise<Body> {
  const answer = await send(method, path, options);
  const text = await answer.text().catch(() => '');
  if (!answer.ok) throw new ApiProblem(problemOf(answer, text));
  return (text === '' ? undefined : JSON.parse(text)) as Body;
}

async function send(method: Method, path: string, options: CallOptions): Promise<Response> {
  const { body, version, signal, headers } = options;
  try {
    return await fetch(path, {
      method,
      credentials: 'same-origin',
      redirect: 'error',
      cache: 'no-store',
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(version !== undefined && { 'if-match': `"${version}"` }),
        ...(method !== 'GET' && csrfToken !== null && { 'x-csrf-token': csrfToken }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiProblem(unreachable);
  }
}

const unreachable: Problem = {
  type: 'about:blank',
  title: 'Assent does not answer',
  status: 0,
  detail: 'Check the network, and whether the service runs.',
  code: 'unreachable',
};

function problemOf(answer: Response, text: string): Problem {
  if (answer.headers.get('content-type')?.startsWith('application/problem+json')) {
    try {
      return JSON.parse(text) as Problem;
    } catch {
      // Cut off: told below as what it is.
    }
  }
  return {
    type: 'about:blank',
    title: `The answer was ${answer.status}`,
    status: answer.status,
    detail: 'It came without an explanation; perhaps something between this browser and Assent has made it.',
    code: 'unexplained',
  };
}
