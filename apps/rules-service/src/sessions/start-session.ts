import { bootstrapClientId, type ConsoleEntrance, type ConsoleRole, type ConsoleSessionDocument } from '#lib/contracts';
import type { Acting, ConsoleSession, Database, NewConsoleSession } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { hashOfKey } from '../access/api-key.js';
import type { Authenticate } from '../access/authenticate.js';
import { countedAs, type CallAllowance } from '../notifications/call-allowance.js';
import { roleOfScopes } from './console-user.js';
import { csrfTokenOf, hashOfSecret, newCookieSecret } from './session-secrets.js';

/** How long sessions last. */
export interface SessionTimes {
  readonly idleSeconds: number;
  readonly lifeSeconds: number;
}

/** A session that has just begun: the only time that the secret for the cookie is known. */
export interface StartedSession {
  readonly secret: string;
  readonly document: ConsoleSessionDocument;
}

/** From where, and in which call, somebody logs in. */
export interface Arrival {
  readonly source: string;
  readonly requestId: string;
  /** The secret of the cookie that came along; its session ends, whatever it was. */
  readonly former: string | null;
}

/** Begins sessions of the console, each with a new secret: one that a browser brings along is never taken over. */
export class StartSession {
  constructor(
    private readonly sessions: Database['consoleSessions'],
    private readonly authenticate: Pick<Authenticate, 'holderOf'>,
    private readonly times: SessionTimes,
    /** For keys that do not fit. */
    private readonly strangers: Pick<CallAllowance, 'spend' | 'headers'>,
  ) {}

  /** @throws ProblemError `unauthenticated`, `too_many_calls`, `insufficient_scope` */
  async byKey(apiKey: string, arrival: Arrival): Promise<StartedSession> {
    const keyHash = hashOfKey(apiKey);
    const holder = await this.authenticate.holderOf(keyHash);
    if (holder === null) throw this.stranger(arrival.source);
    const role = roleOfScopes(holder.caller.scopes);
    if (role === null) {
      throw new ProblemError('insufficient_scope', 'The console needs a key with the scope admin:read.');
    }
    const { id } = holder.caller;
    const actor = { type: id === bootstrapClientId ? 'bootstrap-key' : 'api-client', id } as const;
    return this.start({ via: 'key', role, user: { id, name: holder.name }, keyHash }, actor, arrival);
  }

  /** Somebody for whom the OpenID Provider vouches. */
  byProvider(
    role: ConsoleRole,
    user: { readonly id: string; readonly name: string },
    arrival: Arrival,
  ): Promise<StartedSession> {
    return this.start({ via: 'oidc', role, user, keyHash: null }, { type: 'user', ...user }, arrival);
  }

  /** Whoever sits in front of this machine. */
  openly(arrival: Arrival): Promise<StartedSession> {
    const user = { id: null, name: 'Open console' };
    return this.start({ via: 'open', role: 'admin', user, keyHash: null }, { type: 'user', ...user }, arrival);
  }

  private async start(
    started: Pick<NewConsoleSession, 'via' | 'role' | 'user' | 'keyHash'>,
    actor: Acting['actor'],
    { requestId, former }: Arrival,
  ): Promise<StartedSession> {
    const acting = { actor, requestId };
    if (former !== null) await this.sessions.close(hashOfSecret(former), () => acting);
    const secret = newCookieSecret();
    const session = await this.sessions.open({ ...started, ...this.times, secretHash: hashOfSecret(secret) }, acting);
    return { secret, document: sessionDocument(session, session.role, secret, this.times) };
  }

  private stranger(source: string): ProblemError {
    const caller = countedAs(source);
    const waitSeconds = this.strangers.spend(caller);
    const headers = this.strangers.headers(caller);
    if (waitSeconds > 0) return tooManyLogins(waitSeconds, headers);
    return new ProblemError('unauthenticated', 'Nobody has this API key, or it has ended. Check it.', { headers });
  }
}

/** A session as its own browser is told of it. */
export const sessionDocument = (
  { user, via, expiresAt }: Pick<ConsoleSession, 'user' | 'expiresAt'> & { readonly via: ConsoleEntrance },
  role: ConsoleRole,
  secret: string,
  { idleSeconds }: SessionTimes,
): ConsoleSessionDocument => ({
  user: { name: user.name, role },
  via,
  csrfToken: csrfTokenOf(secret),
  idleSeconds,
  expiresAt: expiresAt.toISOString(),
});

/** Whoever tries so often waits. */
export const tooManyLogins = (waitSeconds: number, rateLimit: Readonly<Record<string, string>>): ProblemError =>
  new ProblemError('too_many_calls', `Too many logins were tried from this address. Wait ${waitSeconds} s.`, {
    headers: { 'retry-after': String(waitSeconds), ...rateLimit },
  });
