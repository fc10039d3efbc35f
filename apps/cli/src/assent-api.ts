import { page, providerCheck, tokenProvider, type ProviderCheck, type TokenProvider } from '#lib/contracts';
import { z } from 'zod';
import { CommandProblem, printable, type Surroundings } from './terminal.js';

const defaultUrl = 'http://127.0.0.1:3000';
/** A check takes half a minute at most. */
const timeoutMs = 60_000;

/** The part of Assent's HTTP API that commands need. */
export class AssentApi {
  private constructor(
    private readonly url: string,
    private readonly apiKey: string,
  ) {}

  /** @throws CommandProblem when the environment does not say enough. */
  static from(env: Surroundings['env']): AssentApi {
    const url = env['ASSENT_URL'] || defaultUrl;
    const apiKey = env['ASSENT_API_KEY'];
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new CommandProblem('ASSENT_URL is not an http or https address.');
    }
    if (!apiKey) throw new CommandProblem('ASSENT_API_KEY is not set: give an API key with the scope admin:write.');
    if (!/^[\x21-\x7E]+$/.test(apiKey)) throw new CommandProblem('ASSENT_API_KEY has characters that no API key has.');
    return new AssentApi(url.replace(/\/+$/, ''), apiKey);
  }

  async tokenProviders(): Promise<TokenProvider[]> {
    const found: TokenProvider[] = [];
    let cursor: string | null = null;
    do {
      const query: URLSearchParams = new URLSearchParams({ limit: '100', ...(cursor !== null && { cursor }) });
      const one: z.output<typeof providerPage> = await this.call(
        'GET',
        `/v1/token-providers?${query.toString()}`,
        providerPage,
      );
      found.push(...one.data);
      cursor = one.nextCursor;
    } while (cursor !== null);
    return found;
  }

  check(provider: TokenProvider): Promise<ProviderCheck> {
    return this.call('POST', `/v1/token-providers/${provider.id}/check`, providerCheck);
  }

  private async call<Schema extends z.ZodType>(
    method: string,
    path: string,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const { status, text } = await this.fetch(method, path);
    if (status !== 200) throw new CommandProblem(refusalOf(status, text, this.url));
    const read = schema.safeParse(parseJson(text));
    if (!read.success) {
      throw new CommandProblem(`${this.url} answers, but not as this version of Assent does: check ASSENT_URL.`);
    }
    return read.data;
  }

  private async fetch(method: string, path: string): Promise<{ status: number; text: string }> {
    try {
      const answer = await fetch(`${this.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.apiKey}`, accept: 'application/json' },
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { status: answer.status, text: await answer.text() };
    } catch (error) {
      throw new CommandProblem(`Assent cannot be reached at ${this.url}: ${reasonOf(error)}.`);
    }
  }
}

const providerPage = page(tokenProvider);
const problemBody = z.object({ code: z.string(), detail: z.string() });

function refusalOf(status: number, text: string, url: string): string {
  const problem = problemBody.safeParse(parseJson(text));
  if (!problem.success) return `${url} answered ${status}, and not as Assent does: check ASSENT_URL.`;
  const { code, detail } = problem.data;
  if (code === 'unauthenticated') return `Assent at ${url} does not know this ASSENT_API_KEY.`;
  return `Assent at ${url} refused (${printable(code)}): ${printable(detail)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  const cause = error instanceof Error ? error.cause : null;
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  return typeof code === 'string' ? code : 'the connection failed';
}
