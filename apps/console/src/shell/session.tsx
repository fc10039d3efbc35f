import { Box, Center, Stack, Title } from '@mantine/core';
import { createContext, Fragment, useContext, useState, type ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Navigate, useLocation } from 'react-router';
import { isSamePerson, sessionQuery, type Session } from '../api/session.js';
import { ProblemAlert } from '../parts/problem-alert.js';
import { PageSkeleton } from '../parts/page-skeleton.js';
import { LoginAgain } from './login-again.js';

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

/**
 * Shows its children to whoever is logged in, and the login to everybody else. When a session ends, the page stays with what
 * was typed into it until the same person is there again; for anybody else it begins anew.
 */
export function WithSession({ children }: { readonly children: ReactNode }) {
  const { data, error, refetch } = useQuery(sessionQuery);
  const { pathname, search, hash } = useLocation();
  const [known, setKnown] = useState<{ readonly session: Session; readonly person: number } | null>(null);
  const session = data?.session ?? null;
  if (session !== null && known?.session !== session) {
    const same = known !== null && isSamePerson(known.session, session);
    setKnown({ session, person: (known?.person ?? 0) + (same ? 0 : 1) });
  }
  if (known !== null) {
    return (
      <SessionContext value={known.session}>
        <Fragment key={known.person}>{children}</Fragment>
        <LoginAgain ways={data?.ways ?? null} />
      </SessionContext>
    );
  }
  if (data) {
    const returnTo = `/console${pathname}${search}${hash}`;
    return <Navigate to={`/login?returnTo=${encodeURIComponent(returnTo)}`} replace />;
  }
  if (error) {
    return (
      <Center component="main" mih="60vh" p="xl">
        <Stack w="100%" maw={440}>
          <Title order={1}>Assent</Title>
          <ProblemAlert error={error} onRetry={() => void refetch()} />
        </Stack>
      </Center>
    );
  }
  return (
    <Box p="md">
      <PageSkeleton />
    </Box>
  );
}
