import { Button, Divider, PasswordInput, Stack } from '@mantine/core';
import { IconLogin2 } from '@tabler/icons-react';
import { useState, type ReactNode, type SubmitEvent } from 'react';
import { useLogin, type LoginWays as Ways } from '../api/session.js';
import { ProblemAlert } from '../parts/problem-alert.js';

export interface LoginWaysProps {
  readonly ways: Ways | null;
  /** The page of the console to come back to from the token provider. */
  readonly returnTo: string;
  /** Goes to the token provider in a window of its own. */
  readonly apart?: boolean;
  readonly children: ReactNode;
}

/** The ways in: through the token provider, where there is one, or with an API key. */
export function LoginWays({ ways, returnTo, apart = false, children }: LoginWaysProps) {
  const [apiKey, setApiKey] = useState('');
  const login = useLogin();
  const oidc = ways?.oidc === true;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    login.mutate(apiKey);
  };
  return (
    <form onSubmit={submit} aria-label="Log in">
      <Stack gap="md">
        {children}
        {oidc && (
          <>
            <Button
              component="a"
              href={`/console/api/login${returnTo === '' ? '' : `?returnTo=${encodeURIComponent(returnTo)}`}`}
              target={apart ? '_blank' : undefined}
              rel={apart ? 'noreferrer' : undefined}
              leftSection={<IconLogin2 size={17} aria-hidden />}
              fullWidth
            >
              Log in with the token provider
            </Button>
            <Divider label="or" />
          </>
        )}
        {login.error && <ProblemAlert error={login.error} ofLogin />}
        <PasswordInput
          label="API key"
          value={apiKey}
          onChange={(event) => setApiKey(event.currentTarget.value)}
          autoComplete="off"
          required
          data-autofocus
          visibilityToggleButtonProps={{ 'aria-label': 'Show the API key' }}
        />
        <Button type="submit" loading={login.isPending} fullWidth variant={oidc ? 'default' : 'filled'}>
          Log in
        </Button>
      </Stack>
    </form>
  );
}
