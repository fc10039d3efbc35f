import { Alert, Button, Center, Divider, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconLogin2 } from '@tabler/icons-react';
import type { LoginProblem } from '#lib/contracts';
import { useQuery } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import { sessionQuery, useLogin } from '../../api/session.js';
import { ProblemAlert } from '../../parts/problem-alert.js';

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
  const [apiKey, setApiKey] = useState('');
  const login = useLogin();
  const returnTo = search.get('returnTo') ?? '';
  if (data?.session) {
    // Only within the console; the router knows no other places.
    return <Navigate to={returnTo.startsWith('/console/') ? returnTo.slice('/console'.length) : '/overview'} replace />;
  }
  const problem = problems[search.get('problem') as LoginProblem] as string | undefined;
  const oidc = data?.ways?.oidc === true;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    login.mutate(apiKey);
  };
  return (
    <Center component="main" mih="100vh" p="md">
      <title>Log in · Assent</title>
      <Paper p="xl" w="100%" maw={400}>
        <form onSubmit={submit}>
          <Stack gap="md">
            <img src="/console/assent.svg" alt="" width={40} height={40} />
            <div>
              <Title order={1}>Log in to Assent</Title>
              <Text c="dimmed" fz="sm">
                {oidc ? 'As yourself, or with an API key that may administer.' : 'With an API key that may administer.'}
              </Text>
            </div>
            {problem !== undefined && (
              <Alert color="red" role="alert" icon={<IconAlertTriangle size={18} aria-hidden />}>
                {problem}
              </Alert>
            )}
            {oidc && (
              <>
                <Button
                  component="a"
                  href={`/console/api/login${returnTo === '' ? '' : `?returnTo=${encodeURIComponent(returnTo)}`}`}
                  leftSection={<IconLogin2 size={17} aria-hidden />}
                  fullWidth
                >
                  Log in with the token provider
                </Button>
                <Divider label="or" />
              </>
            )}
            {login.error && <ProblemAlert error={login.error} />}
            <PasswordInput
              label="API key"
              value={apiKey}
              onChange={(event) => setApiKey(event.currentTarget.value)}
              autoComplete="off"
              required
              visibilityToggleButtonProps={{ 'aria-label': 'Show the API key' }}
            />
            <Button type="submit" loading={login.isPending} fullWidth variant={oidc ? 'default' : 'filled'}>
              Log in
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
