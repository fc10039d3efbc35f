import type { ConsoleSessionDocument, Problem } from '#lib/contracts';
import { request } from 'undici';

/** An answer as a browser gets it; nothing is followed. */
export interface BrowserAnswer<Body = unknown> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Body;
}

/**
 * A browser as far as the API can tell: it keeps cookies by name, and sends headers that no `fetch` would let a test
 * choose.
 */
export class ConsoleBrowser {
  readonly cookies = new Map<string, string>();
  csrfToken: string | null = null;

  constructor(readonly url: string) {}

  /** One call with the cookies that there are; headers that are null are left out. */
  async call<Body = Problem>(
    method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string | null>> = {},
  ): Promise<BrowserAnswer<Body>> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const sent = {
      ...(cookie !== '' && { cookie }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(method !== 'GET' && this.csrfToken !== null && { 'x-csrf-token': this.csrfToken }),
      'sec-fetch-site': 'same-origin',
      ...headers,
    };
    const answer = await request(path.startsWith('http') ? path : `${this.url}${path}`, {
      method,
      headers: Object.fromEntries(Object.entries(sent).filter((entry): entry is [string, string] => entry[1] !== null)),
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) this.keep(line);
    const text = await answer.body.text();
    const isJson = String(answer.headers['content-type']).includes('json');
    return { status: answer.statusCode, headers: answer.headers, body: (isJson ? JSON.parse(text) : text) as Body };
  }

  /** Who is logged in, as the console asks at its start. */
  async session(headers: Readonly<Record<string, string | null>> = {}) {
    return this.remember(
      await this.call<ConsoleSessionDocument & Problem>('GET', '/console/api/session', undefined, headers),
    );
  }

  async logIn(apiKey: string, headers: Readonly<Record<string, string | null>> = {}) {
    return this.remember(
      await this.call<ConsoleSessionDocument & Problem>('POST', '/console/api/session', { apiKey }, headers),
    );
  }

  private remember<Body extends { readonly csrfToken?: string }>(answer: BrowserAnswer<Body>): BrowserAnswer<Body> {
    if (answer.status === 200) this.csrfToken = answer.body.csrfToken ?? null;
    return answer;
  }

  private keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
