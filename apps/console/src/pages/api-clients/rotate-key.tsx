import { Select, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { rotatedKeyLifeDays, rotateKeyBody, type ApiClient } from '#lib/contracts';
import { useRotateKey } from '../../api/api-clients.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { overlapsUpTo } from '../../parts/overlaps.js';
import type { ShownOnceProps } from '../../parts/shown-once.js';
import { useDialogForm } from '../../parts/use-dialog-form.js';
import { endOfDay } from './client-values.js';

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
  const dialog = useDialogForm({
    form,
    schema: rotateKeyBody,
    bodyOf: ({ overlapSeconds, expiresOn }) => ({
      overlapSeconds: Number(overlapSeconds),
      ...(expiresOn !== '' && { expiresAt: endOfDay(expiresOn) }),
    }),
    fieldOf: (pointer) => ({ '/overlapSeconds': 'overlapSeconds', '/expiresAt': 'expiresOn' })[pointer] ?? null,
    send: (body) => rotate.mutateAsync({ id: client!.id, body }),
    onDone: ({ key }) => {
      onClose();
      onSecrets([{ label: 'API key', value: key }]);
    },
  });
  return (
    <FormDialog
      opened={client !== null}
      onClose={onClose}
      title={`Rotate the key of ${client?.name ?? ''}`}
      action="Rotate"
      form={dialog}
    >
      <Text fz="sm">A new key is made and shown once. How long is the old one to work beside it?</Text>
      <Select
        label="The old key works"
        data={overlapsUpTo(2_592_000)}
        data-autofocus
        {...form.getInputProps('overlapSeconds')}
      />
      <TextInput
        label="New Key Ends On"
        type="date"
        description={`Empty: in ${rotatedKeyLifeDays} days.`}
        {...form.getInputProps('expiresOn')}
      />
    </FormDialog>
  );
}
