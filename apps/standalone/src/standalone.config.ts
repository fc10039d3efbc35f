import { join } from 'node:path';
import { consoleConfig } from '#lib/assembly';
import { accessTokenConfig, promptLimitConfig, retentionConfig } from '#lib/contracts';
import { flag, inboundConfig, notificationListenerConfig, outboundConfig, processConfig, secret } from '#lib/runtime';
import { z } from 'zod';

/** What `npm start` can be told; everything has a default that works on a laptop. */
export const standaloneConfig = z.object({
  PORT: processConfig.shape.PORT,
  HOST: z.string().default('127.0.0.1').describe('Address that the HTTP server listens on.'),
  LOG_LEVEL: processConfig.shape.LOG_LEVEL.default('warn'),
  ASSENT_SANDBOX_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(3001)
    .describe('Port of the sandbox token provider with its phone and shop; 0: no sandbox.'),
  ASSENT_DATA_DIR: z
    .string()
    .default(join(process.cwd(), '.assent'))
    .describe('Folder for the database, the keys and the sandbox; kept over restarts.'),
  ASSENT_API_KEY: secret(
    z.string().regex(/^[\x21-\x7E]{24,}$/, 'must be 24 printable characters or more, without blanks'),
  )
    .optional()
    .describe('The first API key, with all scopes. Default: made once and kept in the data folder.'),
  ASSENT_MASTER_KEYS: secret()
    .optional()
    .describe('Keys that seal secrets at rest. Default: made once and kept in the data folder.'),
  ASSENT_PUBLIC_URL: z
    .url()
    .optional()
    .describe('The address under which clients reach Assent; the issuer of receipts. Default: the local address.'),
  DATABASE_URL: secret(z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgres:// address'))
    .optional()
    .describe('A Postgres of your own instead of the embedded one.'),
  AMQP_URL: secret(z.string().regex(/^amqps?:\/\//, 'must be an amqp:// or amqps:// address'))
    .optional()
    .describe('A RabbitMQ of your own instead of the in-process transport.'),
  ASSENT_ALLOW_LOOPBACK: flag
    .default(true)
    .describe('Accept plain http and loopback addresses for token providers and callbacks.'),
  ASSENT_ALLOWED_NETWORKS: outboundConfig.shape.ASSENT_ALLOWED_NETWORKS,
  ASSENT_ALLOWED_PORTS: outboundConfig.shape.ASSENT_ALLOWED_PORTS,
  ...inboundConfig.shape,
  ...notificationListenerConfig.shape,
  ...promptLimitConfig.shape,
  ...accessTokenConfig.shape,
  ...consoleConfig.shape,
  ASSENT_CONSOLE_OPEN: flag
    .default(true)
    .describe(
      'Let whoever sits in front of this machine use the console without a login; never beyond this machine, and not when `ASSENT_PUBLIC_URL` is an address beyond it.',
    ),
  ...retentionConfig.shape,
});
export type StandaloneConfig = Readonly<z.output<typeof standaloneConfig>>;
