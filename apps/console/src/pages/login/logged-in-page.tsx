import { Anchor, Center, Stack, Text, Title } from '@mantine/core';
import { useEffect } from 'react';
import { Link } from 'react-router';
import { tellOtherWindows } from '../../shell/login-again.js';

/** Where a login ends that another window waits for. */
export function LoggedInPage() {
  useEffect(tellOtherWindows, []);
  return (
    <Center component="main" mih="100vh" p="md">
      <title>Logged in · Assent</title>
      <Stack align="center" gap="xs">
        <Title order={1}>You are logged in</Title>
        <Text c="dimmed" ta="center">
          Close this window, and go on in the one that you came from.
        </Text>
        <Anchor component={Link} to="/overview" fz="sm">
          Go to the overview instead
        </Anchor>
      </Stack>
    </Center>
  );
}
