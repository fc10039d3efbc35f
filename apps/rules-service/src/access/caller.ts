import { userPrefix, type Scope } from '#lib/contracts';
import type { Entitlements } from '#lib/domain';

/** Who makes a call. */
export interface Caller extends Entitlements {
  /** The id of the API client; requests belong to it. */
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
  /** How many of its requests are taken in a minute; null: as configured. */
  readonly requestsPerMinute: number | null;
  /** The person at the console; nobody when the API client itself calls. */
  readonly user?: { readonly id: string | null; readonly name: string };
}

/** How a timeline names who did something: a person by their name, an API client by its id. */
export const nameInTimeline = ({ id, user }: Caller): string => (user === undefined ? id : `${userPrefix}${user.name}`);

const callers = new WeakMap<object, Caller>();

/** Notes who makes this call. */
export const setCaller = (request: object, caller: Caller): void => void callers.set(request, caller);

/**
 * Who makes this call.
 *
 * @throws Error on a public route, where nobody is known
 */
export function callerOf(request: object): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error('A public route asked for its caller.');
  return caller;
}

/** Who makes this call, as far as it is known. */
export const knownCallerOf = (request: object): Caller | null => callers.get(request) ?? null;

/** Whose requests the caller may read: null means everybody's. */
export const readsRequestsOf = (caller: Caller): string | null => (caller.scopes.has('admin:read') ? null : caller.id);

/** Whose requests the caller may withdraw: null means everybody's. */
export const cancelsRequestsOf = (caller: Caller): string | null =>
  caller.scopes.has('admin:write') ? null : caller.id;
