import { Alert, Center, Paper, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { LoginProblem } from '#lib/contracts';
import { useQuery } from '@tanstack/react-query';
import { Navigate, useSearchParams } from 'react-router';
import { sessionQuery } from '../../api/session.js';
import { LoginWays } from '../../shell/login-ways.js';

const problems: Readonly<Record<LoginProblem, string>> = {
  login_expired: 'The login took too long, or was used already. Begin again.',
  login_refused: 'The token provider did not confirm who you are. Begin again, or ask who runs Assent.',
  no_role: 'The token provider knows you, but nobody has given you a role in this console.',
  provider_unavailable: 'The token provider does not answer just now. Try again in a moment, or use an API key.',
};

/** The door of the console: through the token provider, where there is one, or with an API key. */
export function LoginPage() {
  const { data } = useQuery(sessionQuery);
  const [search] = useSearchParams();
  const returnTo = search.get('returnTo') ?? '';
  if (data?.session) {
    // Only within the console; the router knows no other places.
    return <Navigate to={returnTo.startsWith('/console/') ? returnTo.slice('/console'.length) : '/overview'} replace />;
  }
  const problem = problems[search.get('problem') as LoginProblem] as string | undefined;
  return (
    <Center component="main" mih="100vh" p="md">
      <title>Log in · Assent</title>
      <Paper p="xl" w="100%" maw={400}>
        <LoginWays ways={data?.ways ?? null} returnTo={returnTo}>
          <img src="/console/assent.svg" alt="" width={40} height={40} />
          <div>
            <Title order={1}>Log in to Assent</Title>
            <Text c="dimmed" fz="sm">
              {data?.ways?.oidc === true ? 'As yourself, or with' : 'With'} an API key that may administer.
            </Text>
          </div>
          {problem !== undefined && (
            <Alert color="red" role="alert" icon={<IconAlertTriangle size={18} aria-hidden />}>
              {problem}
            </Alert>
          )}
        </LoginWays>
      </Paper>
    </Center>
  );
}
