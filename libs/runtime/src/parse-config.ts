import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Secret } from './secret.js';

/** The environment does not fit; the message names every variable that has to change. */
export class ConfigProblem extends Error {
  override readonly name = 'ConfigProblem';
}

/** A setting that holds a secret; also readable from the file that `<NAME>_FILE` names. */
export const secret = (schema: z.ZodType<string, string> = z.string().min(1)) =>
  schema.transform((value) => new Secret(value)).meta({ secret: true });

/** `true` or `false`, nothing else. */
export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

/** Values separated by commas; blanks around them do not count. */
export const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** What every process is told. */
export const processConfig = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000).describe('Port of the HTTP server.'),
  HOST: z.string().default('0.0.0.0').describe('Address that the HTTP server listens on.'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('The least important log line that is written.'),
});

/** How Postgres is reached, and what opens the sealed columns. */
export const databaseConfig = z.object({
  DATABASE_URL: secret(z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgres:// address')).describe(
    'Address of the Postgres primary, postgres://user:password@host:port/database.',
  ),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(200).default(10).describe('Connections of this process.'),
  ASSENT_MASTER_KEYS: secret().describe(
    'Keys that seal secrets at rest: id:base64 of 32 bytes, several separated by commas, the first one active.',
  ),
});

/** How RabbitMQ is reached. */
export const brokerConfig = z.object({
  AMQP_URL: secret(z.string().regex(/^amqps?:\/\//, 'must be an amqp:// or amqps:// address')).describe(
    'Address of RabbitMQ, amqp://user:password@host:port/vhost.',
  ),
});

/** Which addresses Assent may call. */
export const outboundConfig = z.object({
  ASSENT_ALLOW_LOOPBACK: flag
    .default(false)
    .describe('Accept plain http and loopback addresses for token providers and callbacks; for development only.'),
  ASSENT_ALLOWED_NETWORKS: list
    .default([])
    .describe('Private networks (CIDR, separated by commas) that token providers and callbacks may be in.'),
  ASSENT_ALLOWED_PORTS: list
    .pipe(z.array(z.coerce.number<string>().int().min(1).max(65_535)))
    .default([])
    .describe('Ports (separated by commas) at which token providers and callbacks may be; without it at every port.'),
});

/** Where calls come from. */
export const inboundConfig = z.object({
  ASSENT_TRUSTED_PROXIES: list
    .default([])
    .describe(
      'Networks (CIDR, separated by commas) of the proxies in front of Assent, whose `X-Forwarded-*` and `Forwarded` ' +
        'headers are believed.',
    ),
});

/** A listener of its own for what token providers tell. */
export const notificationListenerConfig = z.object({
  ASSENT_NOTIFICATION_PORT: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('Port for notifications of token providers and for nothing else; without it they come to `PORT`.'),
  ASSENT_NOTIFICATION_TLS_CERTIFICATE: z
    .string()
    .optional()
    .describe('Certificate chain (PEM) with which that port speaks TLS itself; without it a proxy in front has to.'),
  ASSENT_NOTIFICATION_TLS_KEY: secret().optional().describe('Private key (PEM) of that certificate.'),
  ASSENT_NOTIFICATION_CLIENT_CA: z
    .string()
    .optional()
    .describe('Authorities (PEM) one of which must have issued the client certificate that a provider shows there.'),
});

/** The schema speaks of types where somebody has typed a text; null leaves the words to it. */
const inPlainWords = ({ code, expected }: { readonly code?: string; readonly expected?: unknown }): string | null =>
  code === 'invalid_type' && expected === 'number' ? 'is not a number' : null;

/**
 * Parses the environment once, at the start of the process.
 *
 * Empty variables count as absent; `<NAME>_FILE` names a file that holds the value of `<NAME>`.
 *
 * @throws ConfigProblem naming every variable that is missing or wrong
 */
export function parseConfig<Schema extends z.ZodObject>(
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<z.output<Schema>> {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  for (const name of Object.keys(schema.shape)) {
    const file = env[`${name}_FILE`];
    if (env[name]) values[name] = env[name];
    else if (file) {
      try {
        values[name] = readFileSync(file, 'utf8').trim();
      } catch (error) {
        problems.push(`${name}_FILE: cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
      }
    }
  }
  const parsed = schema.safeParse(values, { error: inPlainWords });
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = String(issue.path[0] ?? '');
      const meaning = (schema.shape[name] as z.ZodType | undefined)?.description ?? '';
      const missing = !(name in values);
      if (!problems.some((line) => line.startsWith(`${name}_FILE`))) {
        problems.push(`${name}: ${missing ? 'is not set' : issue.message}. ${meaning}`.trimEnd());
      }
    }
  }
  if (problems.length > 0 || !parsed.success) {
    throw new ConfigProblem(`The configuration is not complete:\n${problems.map((line) => `  ${line}`).join('\n')}`);
  }
  return Object.freeze(parsed.data);
}
