import type { AccessTokens } from '#lib/ciba';
import { scopes, type Scope } from '#lib/contracts';
import type { ApiClientRow, Database } from '#lib/persistence';
import { ProblemError, type Log } from '#lib/runtime';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

/** An API client that came with an access token, and what of its scopes the token lets it use. */
export interface ClientByToken {
  readonly client: ApiClientRow;
  readonly scopes: ReadonlySet<Scope>;
}

/** Access tokens of trusted authorization servers as credentials of API clients (RFC 9068). */
@Injectable()
export class BearerTokens implements OnApplicationShutdown {
  constructor(
    private readonly tokens: Pick<AccessTokens, 'verify' | 'close'>,
    private readonly apiClients: Pick<Database['apiClients'], 'findByOauthClient'>,
    private readonly log: Log,
  ) {}

  /**
   * Finds the client of a token; null when the token is not to be believed, or no client of ours goes by that name.
   *
   * @throws ProblemError `issuer_unavailable`
   */
  async clientOf(token: string): Promise<ClientByToken | null> {
    const verdict = await this.tokens.verify(token);
    switch (verdict.kind) {
      case 'refused':
        this.log.debug('An access token was refused', { reason: verdict.detail });
        return null;
      case 'keys-unavailable':
        this.log.warn('An access token cannot be judged', { reason: verdict.detail });
        throw issuerUnavailable();
      case 'accepted': {
        const client = await this.apiClients.findByOauthClient(verdict.claims);
        const granted = new Set(verdict.claims.scopes);
        return client && { client, scopes: new Set(inBoth(granted, client.scopes)) };
      }
    }
  }

  onApplicationShutdown(): Promise<void> {
    return this.tokens.close();
  }
}

const inBoth = (granted: ReadonlySet<string>, own: readonly Scope[]): Scope[] =>
  scopes.filter((scope) => granted.has(scope) && own.includes(scope));

const issuerUnavailable = (): ProblemError =>
  new ProblemError('issuer_unavailable', 'The access token cannot be judged just now. Try again in a moment.', {
    headers: { 'retry-after': '5' },
  });
