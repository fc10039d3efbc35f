import { httpUrl } from '#lib/contracts';
import { list, secret } from '#lib/runtime';
import { z } from 'zod';

/** Who may use the console, and for how long. */
export const consoleConfig = z.object({
  ASSENT_CONSOLE_ISSUER: httpUrl
    .optional()
    .describe('The OpenID Provider at which people log in to the console; without it they use an API key.'),
  ASSENT_CONSOLE_CLIENT_ID: z
    .string()
    .optional()
    .describe(
      'The client that the console is at that provider; its redirect address is `<ASSENT_PUBLIC_URL>/console/api/callback`.',
    ),
  ASSENT_CONSOLE_CLIENT_SECRET: secret().optional().describe('Its secret; without it the client is a public one.'),
  ASSENT_CONSOLE_SCOPE: z
    .string()
    .regex(/^openid( [\x21\x23-\x5B\x5D-\x7E]+)*$/, 'must be openid and what else, with blanks between them')
    .default('openid profile email')
    .describe('The scopes that a login asks for.'),
  ASSENT_CONSOLE_ROLE_CLAIM: z
    .string()
    .default('roles')
    .describe(
      'The claim that tells what somebody may do, in the ID token or at the userinfo endpoint; `a.b` for a claim in a claim.',
    ),
  ASSENT_CONSOLE_ADMIN_ROLES: list
    .default(['assent-admin'])
    .describe('Values of that claim, separated by commas, that make an administrator.'),
  ASSENT_CONSOLE_AUDITOR_ROLES: list
    .default(['assent-auditor'])
    .describe('Values of that claim, separated by commas, that let somebody look and change nothing.'),
  ASSENT_CONSOLE_IDLE_SECONDS: z.coerce
    .number()
    .int()
    .min(60)
    .max(86_400)
    .default(1_800)
    .describe('A session of the console ends when nothing was done for so long.'),
  ASSENT_CONSOLE_SESSION_SECONDS: z.coerce
    .number()
    .int()
    .min(300)
    .max(604_800)
    .default(43_200)
    .describe('A session of the console ends after so long in any case.'),
});
export type ConsoleConfig = Readonly<z.output<typeof consoleConfig>>;
