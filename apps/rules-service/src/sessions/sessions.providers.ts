import { consoleConfig, type ConsoleConfig } from '#lib/assembly';
import { CodeLogin } from '#lib/ciba';
import { Database } from '#lib/persistence';
import type { Log, OutboundGuard, Secret } from '#lib/runtime';
import type { Provider } from '@nestjs/common';
import { Authenticate } from '../access/authenticate.js';
import { CallAllowance } from '../notifications/call-allowance.js';
import { CallSource } from './call-source.js';
import { LogInAtProvider, type LoginProvider } from './log-in-at-provider.js';
import { OpenAccess } from './open-access.js';
import { SessionAccess } from './session-access.js';
import { sessionTimes } from './sessions.controller.js';
import { StartSession, type SessionTimes } from './start-session.js';

/** What sessions are told; what is left out has its default. */
export type SessionConfig = Partial<ConsoleConfig> & {
  readonly ASSENT_CONSOLE_OPEN?: boolean;
  readonly ASSENT_CONSOLE_CLIENT_SECRET?: Secret | undefined;
  readonly ASSENT_PUBLIC_URL?: string | undefined;
  readonly ASSENT_ALLOW_LOOPBACK: boolean;
  readonly ASSENT_TRUSTED_PROXIES: readonly string[];
};

interface SessionParts {
  readonly config: SessionConfig;
  readonly database: Database;
  readonly guard: OutboundGuard;
  readonly log: Log;
}

/** Everything behind `/console/api/session` and the logins. */
export const sessions = ({ config: given, database, guard, log }: SessionParts): Provider[] => {
  const config = { ...consoleConfig.parse({}), ...given };
  const times: SessionTimes = {
    idleSeconds: config.ASSENT_CONSOLE_IDLE_SECONDS,
    lifeSeconds: config.ASSENT_CONSOLE_SESSION_SECONDS,
  };
  const allowance = (burst: number, perSecond: number) =>
    new CallAllowance({ name: 'logins', burst, perSecond, maxCallers: 10_000 }, () => performance.now());
  return [
    { provide: sessionTimes, useValue: times },
    { provide: CallSource, useFactory: () => new CallSource(config.ASSENT_TRUSTED_PROXIES) },
    {
      provide: OpenAccess,
      useFactory: () =>
        new OpenAccess({ open: config.ASSENT_CONSOLE_OPEN ?? false, publicUrl: config.ASSENT_PUBLIC_URL }),
    },
    {
      provide: SessionAccess,
      useFactory: (authenticate: Authenticate, open: OpenAccess) =>
        new SessionAccess(database.consoleSessions, authenticate, open, times.idleSeconds),
      inject: [Authenticate, OpenAccess],
    },
    {
      provide: StartSession,
      useFactory: (authenticate: Authenticate) =>
        new StartSession(database.consoleSessions, authenticate, times, allowance(10, 0.1)),
      inject: [Authenticate],
    },
    {
      provide: LogInAtProvider,
      useFactory: (startSession: StartSession) =>
        new LogInAtProvider({
          provider: loginProvider(config, guard),
          logins: database.consoleLogins,
          startSession,
          allowance: allowance(30, 1),
          log,
        }),
      inject: [StartSession],
    },
  ];
};

/** @throws Error when the settings do not fit together */
function loginProvider(config: SessionConfig & ConsoleConfig, guard: OutboundGuard): LoginProvider | null {
  const issuer = config.ASSENT_CONSOLE_ISSUER;
  if (issuer === undefined) return null;
  const clientId = config.ASSENT_CONSOLE_CLIENT_ID;
  if (clientId === undefined) throw new Error('ASSENT_CONSOLE_ISSUER is set, so ASSENT_CONSOLE_CLIENT_ID is needed.');
  if (config.ASSENT_PUBLIC_URL === undefined) {
    throw new Error('ASSENT_CONSOLE_ISSUER is set, so ASSENT_PUBLIC_URL is needed: people are sent back there.');
  }
  const login = new CodeLogin({
    issuer,
    clientId,
    clientSecret: config.ASSENT_CONSOLE_CLIENT_SECRET?.reveal() ?? null,
    redirectUri: `${config.ASSENT_PUBLIC_URL.replace(/\/$/, '')}/console/api/callback`,
    scope: config.ASSENT_CONSOLE_SCOPE,
    connect: (tls) => guard.connector(tls),
    allowInsecureHttp: config.ASSENT_ALLOW_LOOPBACK,
  });
  const roles = {
    claim: config.ASSENT_CONSOLE_ROLE_CLAIM,
    adminRoles: config.ASSENT_CONSOLE_ADMIN_ROLES,
    auditorRoles: config.ASSENT_CONSOLE_AUDITOR_ROLES,
  };
  return { issuer, login, roles };
}
