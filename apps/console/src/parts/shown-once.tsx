import { Alert, Button, Checkbox, Group, Modal, Stack, Text } from '@mantine/core';
import { IconEyeOff } from '@tabler/icons-react';
import { useState } from 'react';
import { CopyButton } from './copy-button.js';
import classes from './shown-once.module.css';

export interface ShownOnceProps {
  /** Label and secret; null: nothing is to be shown. */
  readonly secrets: ReadonlyArray<{ readonly label: string; readonly value: string }> | null;
  readonly title: string;
  readonly onClose: () => void;
}

/** Secrets that can be read now and never again. It is left on purpose only: no key and no click beside it closes it. */
export function ShownOnce({ secrets, title, onClose }: ShownOnceProps) {
  const [stored, setStored] = useState(false);
  return (
    <Modal
      opened={secrets !== null}
      onClose={onClose}
      title={title}
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
      size="lg"
    >
      <Stack gap="md">
        <Alert color="yellow" icon={<IconEyeOff size={18} aria-hidden />}>
          This is shown once. Assent keeps a hash, or seals it; nobody can read it here again.
        </Alert>
        {(secrets ?? []).map(({ label, value }) => (
          <div key={label}>
            <Text fz="sm" fw={600} mb={4}>
              {label}
            </Text>
            <Group className={classes.secret} gap="xs" wrap="nowrap" justify="space-between">
              <code>{value}</code>
              <CopyButton value={value} what={label} />
            </Group>
          </div>
        ))}
        <Checkbox
          label="I have put it where it belongs"
          data-autofocus
          checked={stored}
          onChange={(event) => setStored(event.currentTarget.checked)}
        />
        <Group justify="flex-end">
          <Button
            disabled={!stored}
            onClick={() => {
              setStored(false);
              onClose();
            }}
          >
            Done
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
