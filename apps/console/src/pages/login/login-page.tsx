import { Button, Center, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import { sessionQuery, useLogin } from '../../api/session.js';
import { ProblemAlert } from '../../parts/problem-alert.js';

/** The door of the console. */
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
                With an API key that may administer.
              </Text>
            </div>
            {login.error && <ProblemAlert error={login.error} />}
            <PasswordInput
              label="API key"
              value={apiKey}
              onChange={(event) => setApiKey(event.currentTarget.value)}
              autoComplete="off"
              required
              visibilityToggleButtonProps={{ 'aria-label': 'Show the API key' }}
            />
            <Button type="submit" loading={login.isPending} fullWidth>
              Log in
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
