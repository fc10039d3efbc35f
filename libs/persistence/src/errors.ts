import type { Unfitness } from './fitness.js';

/** The database cannot be used as it is: migrations are missing, or it could lose acknowledged commits. */
export class UnsafeDatabase extends Error {
  override readonly name = 'UnsafeDatabase';

  constructor(readonly findings: readonly Unfitness[]) {
    super(`The database cannot be used: ${findings.map(({ reason, whatToDo }) => `${reason}. ${whatToDo}`).join(' ')}`);
  }
}

/** A master key is missing, or is not the one that sealed what the database holds; the message names the key's id. */
export class MasterKeyMismatch extends Error {
  override readonly name = 'MasterKeyMismatch';
}

/** A sealed value does not open: it was changed, or moved from another row or column. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

/** True when a sealed value did not open with the master keys of this process. */
export const isSealed = (error: unknown): boolean => error instanceof SealBroken || error instanceof MasterKeyMismatch;

/** So much work waits for the database that more is refused at once; translates to HTTP 503 `busy`. */
export class DatabaseBusy extends Error {
  override readonly name = 'DatabaseBusy';
}

/** A cursor that no list of ours has given out; translates to HTTP 400 `invalid_cursor`. */
export class InvalidCursor extends Error {
  override readonly name = 'InvalidCursor';
}

/** A row that other rows speak of is not there; a fault, not an outcome. */
export class MissingRow extends Error {
  override readonly name = 'MissingRow';
}

// SQLSTATE classes and codes that say "not now", not "not so": connection trouble, read-only after a switch-over, a full
// disk or too many clients, shutdown, start-up.
const unavailableStates = /^(08...|25006|53...|57P0[1-5]|58030)$/;
const unavailableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
]);
// What `pg` says without a code.
const unavailableMessages =
  /^(Connection terminated|Client has encountered a connection error|Query read timeout|timeout exceeded when trying to connect|timeout expired|Client was closed|The server does not support|Cannot use a pool after calling end)/;

/** Rolled back whole for the sake of another transaction, and likely to succeed now: serialisation failure, deadlock. */
export const isContended = (error: unknown): boolean => ['40001', '40P01'].includes(faultOf(error).code ?? '');

/** Rolled back whole because it waited or ran too long: a lock time-out, or the statement's own. */
export const isOutOfTime = (error: unknown): boolean => ['55P03', '57014'].includes(faultOf(error).code ?? '');

/**
 * True when the database could not be reached, broke off, or had no time: nothing is known to be wrong with the
 * statement, and it may be tried again later.
 */
export function isUnavailable(error: unknown): boolean {
  const { code, message, cause, errors } = anatomyOf(error);
  // A name with several addresses: one refusal each.
  if (Array.isArray(errors) && errors.some(isUnavailable)) return true;
  if (isContended(error) || isOutOfTime(error)) return true;
  if (typeof code === 'string' && (unavailableStates.test(code) || unavailableCodes.has(code))) return true;
  if (typeof message === 'string' && unavailableMessages.test(message)) return true;
  return cause !== undefined && cause !== error && isUnavailable(cause);
}

/** True when no statement would succeed now, whatever it is: no connection, or a server that takes nothing. */
export const isAway = (error: unknown): boolean => isUnavailable(error) && !isContended(error) && !isOutOfTime(error);

/** The SQLSTATE or system code of an error, and the constraint that it broke; null where there is none. */
export function faultOf(error: unknown): { readonly code: string | null; readonly constraint: string | null } {
  const { code, constraint } = anatomyOf(error);
  return {
    code: typeof code === 'string' ? code : null,
    constraint: typeof constraint === 'string' ? constraint : null,
  };
}

// By shape, not by class: errors of the platform and of the driver are not always instances of our `Error`.
const anatomyOf = (error: unknown): Readonly<Record<string, unknown>> =>
  typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
