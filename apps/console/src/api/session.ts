import type { ConsoleSessionDocument } from '#lib/contracts';
import { queryOptions, useMutation, useQueryClient, type Query, type QueryClient } from '@tanstack/react-query';
import { ApiProblem, call, proveBy } from './client.js';
import { sessionKey } from './query-client.js';

/** Who is logged in. */
export type Session = ConsoleSessionDocument;

/** How somebody who is not logged in can be. */
export interface LoginWays {
  readonly oidc: boolean;
  readonly key: boolean;
}

export type SessionState =
  { readonly session: Session; readonly ways: null } | { readonly session: null; readonly ways: LoginWays };

const path = '/console/api/session';

/** Whether two sessions are the same person's: then what one of them has seen and typed is the other's. */
export const isSamePerson = (one: Session, other: Session): boolean =>
  one.user.name === other.user.name && one.user.role === other.user.role && one.via === other.via;

let last: Session | null = null;

/** Keeps what later calls need as proof, and nothing that somebody else has seen. */
function begin(session: Session, queries: QueryClient): SessionState {
  proveBy(session.csrfToken);
  const others = { predicate: ({ queryKey }: Query) => queryKey[0] !== sessionKey[0] };
  if (last !== null && !isSamePerson(last, session)) queries.removeQueries(others);
  // What was refused in between is asked for again.
  else if (last !== null) void queries.invalidateQueries(others);
  last = session;
  return { session, ways: null };
}

async function readSession(signal: AbortSignal, queries: QueryClient): Promise<SessionState> {
  try {
    return begin(await call<Session>('GET', path, { signal }), queries);
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
    proveBy(null);
    return { session: null, ways: { oidc: false, key: true, ...(error.problem['login'] as Partial<LoginWays>) } };
  }
}

export const sessionQuery = queryOptions({
  queryKey: sessionKey,
  queryFn: ({ signal, client }) => readSession(signal, client),
  staleTime: Infinity,
});

/** Logs in with an API key that may administer. */
export function useLogin() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (apiKey: string) => call<Session>('POST', path, { body: { apiKey } }),
    onSuccess: (session) => queries.setQueryData<SessionState>(sessionKey, begin(session, queries)),
  });
}

/** Logs out; the page is loaded anew, and nothing that was seen stays in it. */
export const useLogout = () =>
  useMutation({
    mutationFn: () => call<void>('DELETE', path),
    onSuccess: () => location.assign('/console/login'),
  });
