import { Modal, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { sessionKey } from '../api/query-client.js';
import type { LoginWays as Ways } from '../api/session.js';
import { LoginWays } from './login-ways.js';

const channelName = 'assent-console-login';

/** Tells the other windows of the console in this browser that somebody has logged in. */
export function tellOtherWindows(): void {
  const channel = new BroadcastChannel(channelName);
  channel.postMessage('logged in');
  channel.close();
}

/** Over the page whose session has ended: whoever logs in again goes on where they were, with what they had typed. */
export function LoginAgain({ ways }: { readonly ways: Ways | null }) {
  const opened = ways !== null;
  const queries = useQueryClient();
  useEffect(() => {
    if (!opened) return;
    const look = (): void => void queries.invalidateQueries({ queryKey: sessionKey });
    const channel = new BroadcastChannel(channelName);
    channel.addEventListener('message', look);
    return () => channel.close();
  }, [opened, queries]);
  return (
    <Modal
      opened={opened}
      onClose={() => undefined}
      title="Your session has ended"
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
      zIndex={1000}
    >
      <LoginWays ways={ways} returnTo="/console/logged-in" apart>
        <Text fz="sm">Log in again to go on. What you have typed on this page is still there.</Text>
      </LoginWays>
    </Modal>
  );
}
