import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';

/** One request to the sandbox's pages, with what the route's pattern matched. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
}

export type RouteHandler = (exchange: Exchange) => void | Promise<void>;

/** Answered as problem+json. */
export class HttpProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

interface Route {
  readonly method: 'GET' | 'POST';
  readonly segments: readonly string[];
  readonly handler: RouteHandler;
}

const MAX_BODY_BYTES = 16 * 1024;
const HEARTBEAT_MS = 15_000;

const securityHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/**
 * The pages and script endpoints of the sandbox. It answers only under its own host names (a rebound foreign name gets
 * 421) and takes POSTs from its own pages and from scripts, never from a page of another origin.
 */
export class PageRouter {
  readonly #routes: Route[] = [];

  constructor(private readonly hostnames: ReadonlySet<string>) {}

  /** A segment `:name` of the pattern matches anything and is handed over as `params.name`. */
  get(pattern: string, handler: RouteHandler): this {
    this.#routes.push({ method: 'GET', segments: pattern.split('/'), handler });
    return this;
  }

  post(pattern: string, handler: RouteHandler): this {
    this.#routes.push({ method: 'POST', segments: pattern.split('/'), handler });
    return this;
  }

  /** Answers the request and says true, or touches nothing and says false when no route has this path. */
  async handle(req: IncomingMessage, res: ServerResponse): Promise<boolean> {
    const url = new URL(req.url ?? '/', 'http://sandbox');
    const matches = this.#routes.flatMap((route) => {
      const params = match(route.segments, url.pathname.split('/'));
      return params ? [{ route, params }] : [];
    });
    if (matches.length === 0) return false;
    try {
      this.#refuseForeigners(req);
      const method = req.method === 'HEAD' ? 'GET' : req.method;
      const found = matches.find(({ route }) => route.method === method);
      if (!found) throw new HttpProblem(405, 'method_not_allowed', `${req.method} is not possible here.`);
      await found.route.handler({ req, res, url, params: found.params });
    } catch (error) {
      if (res.headersSent || !(error instanceof HttpProblem)) throw error;
      sendProblem(res, error);
    }
    return true;
  }

  #refuseForeigners({ method, headers }: IncomingMessage): void {
    const host = headers.host ?? '';
    if (!this.hostnames.has(hostnameOf(`http://${host}`))) {
      throw new HttpProblem(421, 'misdirected_request', 'The sandbox is not reached under this host name.');
    }
    if (method === 'GET' || method === 'HEAD') return;
    const site = headers['sec-fetch-site'] ?? 'same-origin';
    const { origin } = headers;
    const sameOrigin = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
    if (!sameOrigin || !['same-origin', 'none'].includes(String(site))) {
      throw new HttpProblem(403, 'foreign_origin', 'Pages of other origins may not act on this sandbox.');
    }
  }
}

export function send(res: ServerResponse, status: number, contentType: string, body: string | Buffer): void {
  res.writeHead(status, { ...securityHeaders, 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  res.end(body);
}

export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  send(res, status, 'application/json; charset=utf-8', JSON.stringify(body));
}

export function sendNothing(res: ServerResponse): void {
  res.writeHead(204, securityHeaders).end();
}

export function sendProblem(res: ServerResponse, { status, code, message }: HttpProblem): void {
  const problem = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail: message, code };
  send(res, status, 'application/problem+json; charset=utf-8', JSON.stringify(problem));
}

/**
 * A server-sent event stream of snapshots: `read()` now and after every change. The browser reconnects by itself.
 */
export function streamSnapshots(
  { req, res }: Exchange,
  read: () => unknown,
  onChange: (listener: () => void) => () => void,
): void {
  res.writeHead(200, { ...securityHeaders, 'content-type': 'text/event-stream' });
  const sendSnapshot = (): void => {
    res.write(`data: ${JSON.stringify(read())}\n\n`);
  };
  res.write('retry: 1000\n');
  sendSnapshot();
  const unsubscribe = onChange(sendSnapshot);
  const heartbeat = setInterval(() => res.write(':\n\n'), HEARTBEAT_MS);
  req.once('close', () => {
    clearInterval(heartbeat);
    unsubscribe();
    res.end();
  });
}

/**
 * The JSON object in the request's body.
 * @throws HttpProblem 413, 415 or 400
 */
export async function readJsonObject(req: IncomingMessage): Promise<Record<string, unknown>> {
  if (!req.headers['content-type']?.startsWith('application/json')) {
    throw new HttpProblem(415, 'unsupported_media_type', 'Send application/json.');
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new HttpProblem(413, 'too_large', 'The body is too large.');
    chunks.push(chunk);
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {
    // Reported below: whatever is not an object is refused in the same words.
  }
  throw new HttpProblem(400, 'malformed', 'The body must be a JSON object.');
}

function match(pattern: readonly string[], path: readonly string[]): Record<string, string> | null {
  if (pattern.length !== path.length) return null;
  const params: Record<string, string> = {};
  for (const [index, segment] of pattern.entries()) {
    const actual = path[index] ?? '';
    if (segment.startsWith(':')) params[segment.slice(1)] = actual;
    else if (segment !== actual) return null;
  }
  return params;
}

function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}
