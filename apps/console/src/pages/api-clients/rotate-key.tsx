import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { rotatedKeyLifeDays, rotateKeyBody, type ApiClient } from '#lib/contracts';
import { useRotateKey } from '../../api/api-clients.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import type { ShownOnceProps } from '../../parts/shown-once.js';
import { useDialogForm } from '../../parts/use-dialog-form.js';
import { endOfDay } from './client-values.js';

const overlaps = [
  { value: '0', label: 'Not at all' },
  { value: '3600', label: 'For an hour' },
  { value: '86400', label: 'For a day' },
  { value: '604800', label: 'For a week' },
  { value: '2592000', label: 'For 30 days' },
];

export interface RotateKeyProps {
  /** Null: nothing is asked. */
  readonly client: ApiClient | null;
  readonly onClose: () => void;
  readonly onSecrets: (secrets: ShownOnceProps['secrets']) => void;
}

/** Replaces the key of an API client, with a time in which both work. */
export function RotateKey({ client, onClose, onSecrets }: RotateKeyProps) {
  const form = useForm({ mode: 'controlled', initialValues: { overlapSeconds: '86400', expiresOn: '' } });
  const rotate = useRotateKey();
  const { problem, pending, submit } = useDialogForm({
    form,
    schema: rotateKeyBody,
    bodyOf: ({ overlapSeconds, expiresOn }) => ({
      overlapSeconds: Number(overlapSeconds),
      ...(expiresOn !== '' && { expiresAt: endOfDay(expiresOn) }),
    }),
    fieldOf: (pointer) => ({ '/overlapSeconds': 'overlapSeconds', '/expiresAt': 'expiresOn' })[pointer] ?? null,
    send: (body) => rotate.mutateAsync({ id: client!.id, body }),
    onDone: ({ key }) => {
      form.reset();
      onClose();
      onSecrets([{ label: 'API key', value: key }]);
    },
  });
  return (
    <Modal
      opened={client !== null}
      onClose={onClose}
      title={`Rotate the key of ${client?.name ?? ''}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form noValidate onSubmit={submit} aria-label="Rotate the key">
        <Stack gap="md">
          {problem && <ProblemAlert {...problem} />}
          <Text fz="sm">A new key is made and shown once. How long is the old one to work beside it?</Text>
          <Select label="The old key works" data={overlaps} data-autofocus {...form.getInputProps('overlapSeconds')} />
          <TextInput
            label="New Key Ends On"
            type="date"
            description={`Empty: in ${rotatedKeyLifeDays} days.`}
            {...form.getInputProps('expiresOn')}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={pending}>
              Rotate
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
