import { consoleClientId, scopesOfRole, type ConsoleRole } from '#lib/contracts';
import { unlimited } from '#lib/domain';
import type { ConsoleSession, Database } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import type { Authenticate } from '../access/authenticate.js';
import type { Caller } from '../access/caller.js';
import { roleOfScopes } from './console-user.js';
import { readCookie, sessionCookie } from './cookies.js';
import { refuseCrossSite } from './cross-site.js';
import type { LocalCall, OpenAccess } from './open-access.js';
import { hashOfSecret, isCsrfTokenOf, looksLikeCookieSecret } from './session-secrets.js';

/** A call that may belong to a session. */
export interface SessionCall extends LocalCall {
  readonly method: string;
}

/** A session that counts now, and who calls in it. */
export interface LiveSession {
  readonly secret: string;
  readonly session: ConsoleSession;
  readonly role: ConsoleRole;
  readonly caller: Caller;
}

const looking: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Finds the session of a call by its cookie, and makes sure that its own console makes the call. */
export class SessionAccess {
  constructor(
    private readonly sessions: Database['consoleSessions'],
    private readonly authenticate: Pick<Authenticate, 'holderOf'>,
    private readonly open: Pick<OpenAccess, 'permits'>,
    private readonly idleSeconds: number,
  ) {}

  /**
   * Who calls; null when no session does.
   *
   * @throws ProblemError `csrf_token_missing`, `cross_site_call`
   */
  async callerOf(call: SessionCall): Promise<Caller | null> {
    const live = await this.find(call);
    if (live === null) return null;
    if (!looking.has(call.method)) this.refuseForged(call, live.secret);
    // What the page asks for by itself, to keep up to date, is not somebody at work.
    if (call.headers['x-background'] === undefined) {
      await this.sessions.touch(live.session, hashOfSecret(live.secret), this.idleSeconds);
    }
    return live.caller;
  }

  /** The session of a call; null without one that counts. */
  async find(call: LocalCall): Promise<LiveSession | null> {
    const { cookie } = call.headers;
    const secret = readCookie(typeof cookie === 'string' ? cookie : undefined, sessionCookie);
    if (secret === null || !looksLikeCookieSecret(secret)) return null;
    const session = await this.sessions.find(hashOfSecret(secret));
    if (session === null || (session.via === 'open' && !this.open.permits(call))) return null;
    if (session.keyHash === null) return { secret, session, role: session.role, caller: personCalling(session) };
    const holder = await this.authenticate.holderOf(session.keyHash);
    const role = holder && roleOfScopes(holder.caller.scopes);
    if (holder === null || role === null) return null;
    const scopes = scopesOfRole[role].filter((scope) => holder.caller.scopes.has(scope));
    return { secret, session, role, caller: { ...holder.caller, scopes: new Set(scopes) } };
  }

  /** @throws ProblemError `csrf_token_missing`, `cross_site_call` */
  refuseForged({ headers }: LocalCall, secret: string): void {
    refuseCrossSite(headers);
    if (isCsrfTokenOf(secret, headers['x-csrf-token'])) return;
    throw new ProblemError(
      'csrf_token_missing',
      'A call that changes something carries x-csrf-token, from the session document. Load the page anew.',
    );
  }
}

/** A person may ask whomever they like, in the name of the console. */
const personCalling = ({ role, user }: ConsoleSession): Caller => ({
  id: consoleClientId,
  scopes: new Set(scopesOfRole[role]),
  ...unlimited,
  requestsPerMinute: null,
  user,
});
