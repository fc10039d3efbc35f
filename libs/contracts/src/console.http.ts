import { z } from 'zod';
import type { Scope } from './api-clients.http.js';
import { instant } from './identifiers.js';

/** What people may do in the console. */
export const consoleRoles = ['admin', 'auditor'] as const;
export type ConsoleRole = (typeof consoleRoles)[number];

/** The scopes of a session, by role: an auditor looks and changes nothing. */
export const scopesOfRole: Readonly<Record<ConsoleRole, readonly Scope[]>> = {
  admin: ['requests:write', 'requests:read', 'admin:read', 'admin:write'],
  auditor: ['requests:read', 'admin:read'],
};

/** How somebody came in: with an API key, through the OpenID Provider, or because the console is open. */
export const consoleEntrances = ['key', 'oidc', 'open'] as const;
export type ConsoleEntrance = (typeof consoleEntrances)[number];

/** Who is logged in at the console. */
export const consoleSession = z.strictObject({
  user: z.strictObject({ name: z.string(), role: z.enum(consoleRoles) }),
  via: z.enum(consoleEntrances),
  csrfToken: z.string().meta({ description: 'Goes as `x-csrf-token` with every call that changes something.' }),
  idleSeconds: z.int().meta({ description: 'The session ends when nothing was done for so long.' }),
  expiresAt: instant.meta({ description: 'It ends then in any case.' }),
});
export type ConsoleSessionDocument = z.infer<typeof consoleSession>;

/** A login with an API key. */
export const consoleLoginBody = z.strictObject({
  apiKey: z
    .string()
    .trim()
    .regex(/^[\x21-\x7E]{1,1024}$/, 'Give an API key.'),
});
export type ConsoleLoginBody = z.infer<typeof consoleLoginBody>;

/** A login through the OpenID Provider. */
export const consoleLoginQuery = z.strictObject({
  returnTo: z.string().min(1).max(2048).optional().meta({ description: 'The page of the console to come back to.' }),
});
export type ConsoleLoginQuery = z.infer<typeof consoleLoginQuery>;

/** Why a login through the OpenID Provider failed; the page for logins is told it as `problem`. */
export const loginProblems = ['login_expired', 'login_refused', 'no_role', 'provider_unavailable'] as const;
export type LoginProblem = (typeof loginProblems)[number];
