import type { LoggerService } from '@nestjs/common';
import { pino, type Logger as Pino } from 'pino';

/** Structured lines: a message in words, and named values beside it. Never a secret, a token or a hint. */
export interface Log {
  debug(message: string, detail?: Readonly<Record<string, unknown>>): void;
  info(message: string, detail?: Readonly<Record<string, unknown>>): void;
  warn(message: string, detail?: Readonly<Record<string, unknown>>): void;
  error(message: string, detail?: Readonly<Record<string, unknown>>): void;
  /** A log that adds these fields to every line. */
  child(fields: Readonly<Record<string, unknown>>): Log;
}

/** Names whose values never reach a log, wherever they sit: the second net below careful callers. */
const redacted = ['authorization', 'cookie', 'password', 'secret', 'clientSecret', 'privateKey', 'token', 'userCode'];

/** JSON lines on standard output, one per event. */
export function createLog(options: { service: string; level: string }): Log {
  return wrap(
    pino({
      level: options.level,
      base: { service: options.service },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redacted.flatMap((name) => [name, `*.${name}`]), censor: '***' },
      serializers: { error: describeError },
    }),
  );
}

/** A log that writes nothing. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};

// Only what helps a reader: request and response objects hang on some errors and carry credentials.
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return { name: error.name, message: error.message, ...(code !== undefined && { code }), stack: error.stack };
}

function wrap(logger: Pino): Log {
  return {
    debug: (message, detail) => logger.debug(detail ?? {}, message),
    info: (message, detail) => logger.info(detail ?? {}, message),
    warn: (message, detail) => logger.warn(detail ?? {}, message),
    error: (message, detail) => logger.error(detail ?? {}, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}

/** Nest's own words go to the same log; its start-up chatter only at debug level. */
export function nestLogger(log: Log): LoggerService {
  const context = (rest: readonly unknown[]) => {
    const last = rest.at(-1);
    return typeof last === 'string' ? { context: last } : {};
  };
  return {
    log: (message: unknown, ...rest: unknown[]) => log.debug(String(message), context(rest)),
    debug: (message: unknown, ...rest: unknown[]) => log.debug(String(message), context(rest)),
    verbose: (message: unknown, ...rest: unknown[]) => log.debug(String(message), context(rest)),
    warn: (message: unknown, ...rest: unknown[]) => log.warn(String(message), context(rest)),
    error: (message: unknown, ...rest: unknown[]) =>
      log.error(message instanceof Error ? message.message : String(message), {
        ...context(rest),
        ...(message instanceof Error && { error: message }),
      }),
    fatal: (message: unknown, ...rest: unknown[]) => log.error(String(message), context(rest)),
  };
}

/** The same log as one function, the shape in which the libraries take it. */
export const asFunction =
  (log: Log) =>
  (level: 'debug' | 'info' | 'warn' | 'error', message: string, detail?: object): void =>
    log[level](message, detail as Readonly<Record<string, unknown>> | undefined);
