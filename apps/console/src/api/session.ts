import type { ConsoleSessionDocument } from '#lib/contracts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
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

/** Keeps what later calls need as proof. */
function begin(session: Session): SessionState {
  proveBy(session.csrfToken);
  return { session, ways: null };
}

async function readSession(signal: AbortSignal): Promise<SessionState> {
  try {
    return begin(await call<Session>('GET', path, { signal }));
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
    proveBy(null);
    return { session: null, ways: { oidc: false, key: true, ...(error.problem['login'] as Partial<LoginWays>) } };
  }
}

export const sessionQuery = queryOptions({
  queryKey: sessionKey,
  queryFn: ({ signal }) => readSession(signal),
  staleTime: Infinity,
});

/** Logs in with an API key that may administer. */
export function useLogin() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (apiKey: string) => call<Session>('POST', path, { body: { apiKey } }),
    onSuccess: (session) => {
      // What somebody else has seen before does not stay.
      queries.clear();
      queries.setQueryData<SessionState>(sessionKey, begin(session));
    },
  });
}

export function useLogout() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => call<void>('DELETE', path),
    onSuccess: () => {
      proveBy(null);
      queries.clear();
      return queries.invalidateQueries({ queryKey: sessionKey });
    },
  });
}
