import type { CodeLogin } from '#lib/ciba';
import type { LoginProblem } from '#lib/contracts';
import type { Database } from '#lib/persistence';
import { ProblemError, type Log } from '#lib/runtime';
import { countedAs, type CallAllowance } from '../notifications/call-allowance.js';
import { hasClaim, nameOfClaims, roleOfClaims, type RoleSettings } from './console-user.js';
import { returnAddress } from './return-address.js';
import { hashOfSecret, loginSecretsOf, looksLikeCookieSecret, newCookieSecret } from './session-secrets.js';
import { tooManyLogins, type Arrival, type StartedSession, type StartSession } from './start-session.js';

/** How long a login may take, from our redirect to the provider's. */
export const loginLifeSeconds = 600;

/** The provider at which people log in. */
export interface LoginProvider {
  readonly issuer: string;
  readonly login: Pick<CodeLogin, 'begin' | 'finish' | 'close'>;
  readonly roles: RoleSettings;
}

/** How a login ended: with a session, or with a problem that the page for logins explains. */
export type LoginEnd =
  | { readonly kind: 'session'; readonly session: StartedSession; readonly returnTo: string }
  | { readonly kind: 'problem'; readonly problem: LoginProblem };

/** Logins at the OpenID Provider: each is bound to the browser that began it, and taken up once. */
export class LogInAtProvider {
  constructor(
    private readonly parts: {
      /** Null: there is none. */
      readonly provider: LoginProvider | null;
      readonly logins: Database['consoleLogins'];
      readonly startSession: StartSession;
      readonly allowance: Pick<CallAllowance, 'spend' | 'headers'>;
      readonly log: Log;
    },
  ) {}

  /** Whether people can log in here at all. */
  get isOffered(): boolean {
    return this.parts.provider !== null;
  }

  /**
   * Where the browser goes, and what its cookie holds; a problem instead when the provider is away.
   *
   * @throws ProblemError `not_found`, `invalid_parameter`, `too_many_calls`
   */
  async begin(
    returnTo: string | undefined,
    source: string,
  ): Promise<{ readonly secret: string; readonly url: string } | { readonly problem: LoginProblem }> {
    const { logins, allowance, log } = this.parts;
    const address = returnAddress(returnTo);
    const { login } = this.provider();
    const caller = countedAs(source);
    const waitSeconds = allowance.spend(caller);
    if (waitSeconds > 0) throw tooManyLogins(waitSeconds, allowance.headers(caller));
    const secret = newCookieSecret();
    try {
      const url = await login.begin(loginSecretsOf(secret));
      await logins.begin({ secretHash: hashOfSecret(secret), returnTo: address, lifeSeconds: loginLifeSeconds });
      return { secret, url: url.href };
    } catch (error) {
      if ((error as Error).name !== 'ProviderUnavailable') throw error;
      log.warn('Nobody can log in at the console: its OpenID Provider is not available', {
        detail: (error as Error).message,
      });
      return { problem: 'provider_unavailable' };
    }
  }

  /**
   * Takes up the login that the cookie names with what the browser came back with.
   *
   * @throws ProblemError `not_found`
   */
  async finish(cookie: string | null, query: string, arrival: Arrival): Promise<LoginEnd> {
    const { logins, startSession, log } = this.parts;
    const { issuer, login, roles } = this.provider();
    const known = cookie !== null && looksLikeCookieSecret(cookie) ? await logins.take(hashOfSecret(cookie)) : null;
    if (known === null) return { kind: 'problem', problem: 'login_expired' };
    const result = await login.finish(query, loginSecretsOf(cookie!), (claims) => hasClaim(claims, roles.claim));
    if (result.kind !== 'accepted') {
      log.warn('A login at the console failed', { kind: result.kind, detail: result.detail, source: arrival.source });
      return { kind: 'problem', problem: result.kind === 'unavailable' ? 'provider_unavailable' : 'login_refused' };
    }
    const role = roleOfClaims(result.claims, roles);
    const user = { id: `${issuer} ${result.claims.sub}`.slice(0, 512), name: nameOfClaims(result.claims) };
    if (role === null) {
      log.warn('Somebody without a role tried to log in at the console', { user: user.id });
      return { kind: 'problem', problem: 'no_role' };
    }
    const session = await startSession.byProvider(role, user, arrival);
    return { kind: 'session', session, returnTo: known.returnTo };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.parts.provider?.login.close();
  }

  private provider(): LoginProvider {
    if (this.parts.provider !== null) return this.parts.provider;
    throw new ProblemError('not_found', 'No OpenID Provider is configured for the console. Log in with an API key.');
  }
}
