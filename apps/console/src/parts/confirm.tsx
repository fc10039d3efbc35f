import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { ProblemAlert } from './problem-alert.js';

export interface ConfirmProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly title: string;
  /** What will be so afterwards. */
  readonly children: ReactNode;
  /** The verb on the button: `Delete the rule`. */
  readonly action: string;
  /** The way back, where `Cancel` could be taken for the action. */
  readonly back?: string;
  readonly onConfirm: () => void;
  readonly pending?: boolean;
  /** Why it did not work the last time. */
  readonly error?: unknown;
  /** Default: what is done cannot be taken back. */
  readonly harmless?: boolean;
}

/** Asks before harm is done. The focus begins on the way back. */
export function Confirm(props: ConfirmProps) {
  const {
    opened,
    onClose,
    title,
    children,
    action,
    back = 'Cancel',
    onConfirm,
    pending = false,
    error,
    harmless = false,
  } = props;
  return (
    <Modal opened={opened} onClose={onClose} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="md">
        <Text component="div" fz="sm">
          {children}
        </Text>
        {error != null && <ProblemAlert error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            {back}
          </Button>
          <Button color={harmless ? undefined : 'red'} onClick={onConfirm} loading={pending}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
