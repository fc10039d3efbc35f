import { createContext, useContext, type ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Navigate, useLocation } from 'react-router';
import { sessionQuery, type Session } from '../api/session.js';
import { ProblemAlert } from '../parts/problem-alert.js';
import { PageSkeleton } from '../parts/page-skeleton.js';

const SessionContext = createContext<Session | null>(null);

/**
 * Who is logged in.
 *
 * @throws Error outside of the pages that need a login
 */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('This page is shown without a login.');
  return session;
}

/** Whether the person may change anything; auditors look. */
export const useMayWrite = (): boolean => useSession().user.role === 'admin';

/** Shows its children to whoever is logged in, and the login to everybody else. */
export function WithSession({ children }: { readonly children: ReactNode }) {
  const { data, error, refetch } = useQuery(sessionQuery);
  const { pathname, search, hash } = useLocation();
  if (data?.session) return <SessionContext value={data.session}>{children}</SessionContext>;
  if (data) {
    const returnTo = `/console${pathname}${search}${hash}`;
    return <Navigate to={`/login?returnTo=${encodeURIComponent(returnTo)}`} replace />;
  }
  if (error) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  return <PageSkeleton />;
}
