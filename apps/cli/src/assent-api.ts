import {
  auditEvent,
  auditHead,
  configurationDiff,
  configurationResult,
  deadLetter,
  exportedConfiguration,
  page,
  pingAccessImport,
  providerCheck,
  replayResult,
  tokenProvider,
  type AuditEvent,
  type AuditHead,
  type ConfigurationDiff,
  type ConfigurationResult,
  type DeadLetterDocument,
  type ExportConfigurationQuery,
  type ExportedConfiguration,
  type Page,
  type PingAccessImport,
  type PingAccessImportBody,
  type ProviderCheck,
  type ReplayResult,
  type TokenProvider,
} from '#lib/contracts';
import { z } from 'zod';
import { CommandProblem, printable, type Surroundings } from './terminal.js';

const defaultUrl = 'http://127.0.0.1:3000';
/** A check takes half a minute at most. */
const timeoutMs = 60_000;

/** The part of Assent's HTTP API that commands need. */
export class AssentApi {
  private constructor(
    /** Where Assent is, without a slash at the end. */
    readonly url: string,
    private readonly apiKey: string,
  ) {}

  /** @throws CommandProblem when the environment does not say enough. */
  static from(env: Surroundings['env']): AssentApi {
    const url = env['ASSENT_URL'] || defaultUrl;
    const apiKey = env['ASSENT_API_KEY'];
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new CommandProblem('ASSENT_URL is not an http or https address.');
    }
    if (!apiKey)
      throw new CommandProblem('ASSENT_API_KEY is not set: give an API key with the scope that the command needs.');
    if (!/^[\x21-\x7E]+$/.test(apiKey)) throw new CommandProblem('ASSENT_API_KEY has characters that no API key has.');
    return new AssentApi(url.replace(/\/+$/, ''), apiKey);
  }

  async tokenProviders(): Promise<TokenProvider[]> {
    const found: TokenProvider[] = [];
    for await (const provider of this.all('/v1/token-providers', providerPage)) found.push(provider);
    return found;
  }

  /** What of the audit log is sealed, in the order of the chain. */
  auditEvents(): AsyncGenerator<AuditEvent> {
    return this.all('/v1/audit-events', auditEventPage, { afterSequence: '0' });
  }

  auditHeads(): AsyncGenerator<AuditHead> {
    return this.all('/v1/audit-heads', auditHeadPage);
  }

  /** The public keys that Assent publishes. */
  keySet(): Promise<unknown> {
    return this.call('GET', '/.well-known/jwks.json', z.unknown());
  }

  check(provider: TokenProvider): Promise<ProviderCheck> {
    return this.call('POST', `/v1/token-providers/${provider.id}/check`, providerCheck);
  }

  diffConfiguration(configuration: object, prune: boolean): Promise<ConfigurationDiff> {
    return this.call('POST', '/v1/configuration/diff', configurationDiff, { configuration, prune });
  }

  applyConfiguration(
    configuration: object,
    how: { readonly prune: boolean; readonly dryRun: boolean },
  ): Promise<ConfigurationResult> {
    return this.call('POST', '/v1/configuration/apply', configurationResult, { configuration, ...how });
  }

  importPingAccess(body: PingAccessImportBody): Promise<PingAccessImport> {
    return this.call('POST', '/v1/configuration/import/pingaccess', pingAccessImport, body);
  }

  exportConfiguration(secrets: ExportConfigurationQuery['secrets']): Promise<ExportedConfiguration> {
    return this.call('GET', `/v1/configuration?secrets=${secrets}`, exportedConfiguration);
  }

  /** The oldest hundred, of one queue or of all. */
  async deadLetters(queue: string | null): Promise<readonly DeadLetterDocument[]> {
    const query = new URLSearchParams({ limit: '100', ...(queue !== null && { queue }) });
    return (await this.call('GET', `/v1/dead-letters?${query.toString()}`, deadLetterPage)).data;
  }

  deadLetter(id: string): Promise<DeadLetterDocument> {
    return this.call('GET', `/v1/dead-letters/${encodeURIComponent(id)}`, deadLetter);
  }

  replayDeadLetter(id: string): Promise<ReplayResult> {
    return this.call('POST', `/v1/dead-letters/${encodeURIComponent(id)}/replay`, replayResult);
  }

  replayDeadLetters(queue: string | null): Promise<ReplayResult> {
    return this.call('POST', '/v1/dead-letters/replay', replayResult, queue === null ? {} : { queue });
  }

  async dropDeadLetter(id: string): Promise<void> {
    await this.call('DELETE', `/v1/dead-letters/${encodeURIComponent(id)}`, z.null());
  }

  /** Everything in a list, a page after the other. */
  private async *all<Item>(
    path: string,
    schema: z.ZodType<Page<Item>>,
    filters: Readonly<Record<string, string>> = {},
  ): AsyncGenerator<Item, void> {
    let cursor: string | null = null;
    do {
      const query: URLSearchParams = new URLSearchParams({
        ...filters,
        limit: '100',
        ...(cursor !== null && { cursor }),
      });
      const one: Page<Item> = await this.call('GET', `${path}?${query.toString()}`, schema);
      yield* one.data;
      cursor = one.nextCursor;
    } while (cursor !== null);
  }

  private async call<Schema extends z.ZodType>(
    method: string,
    path: string,
    schema: Schema,
    body?: unknown,
  ): Promise<z.output<Schema>> {
    const { status, text } = await this.fetch(method, path, body);
    if (status !== 200 && status !== 204) throw refusalOf(status, text, this.url);
    const read = schema.safeParse(parseJson(text));
    if (!read.success) {
      throw new CommandProblem(`${this.url} answers, but not as this version of Assent does: check ASSENT_URL.`);
    }
    return read.data;
  }

  private async fetch(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    try {
      const answer = await fetch(`${this.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.apiKey}`,
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
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
const deadLetterPage = page(deadLetter);
const auditEventPage = page(auditEvent);
const auditHeadPage = page(auditHead);
const problemBody = z.object({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).default([]),
});

/** Assent would not do it; `errors` say what of the body it did not like. */
export class Refusal extends CommandProblem {
  constructor(
    message: string,
    readonly errors: readonly { readonly pointer: string; readonly detail: string }[],
  ) {
    super(message);
  }
}

function refusalOf(status: number, text: string, url: string): CommandProblem {
  const problem = problemBody.safeParse(parseJson(text));
  if (!problem.success) {
    return new CommandProblem(`${url} answered ${status}, and not as Assent does: check ASSENT_URL.`);
  }
  const { code, detail, errors } = problem.data;
  if (code === 'unauthenticated') return new CommandProblem(`Assent at ${url} does not know this ASSENT_API_KEY.`);
  return new Refusal(`Assent at ${url} refused (${printable(code)}): ${printable(detail)}`, errors);
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
