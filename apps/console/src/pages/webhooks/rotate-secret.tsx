import { Select, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { rotateSecretBody, type WebhookEndpoint } from '#lib/contracts';
import { useRotateSecret } from '../../api/webhook-endpoints.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { overlapsUpTo } from '../../parts/overlaps.js';
import type { ShownOnceProps } from '../../parts/shown-once.js';
import { useDialogForm } from '../../parts/use-dialog-form.js';

export interface RotateSecretProps {
  readonly endpoint: WebhookEndpoint;
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly onSecrets: (secrets: ShownOnceProps['secrets']) => void;
}

/** Replaces the secret of an endpoint, with a time in which deliveries are signed with both. */
export function RotateSecret({ endpoint, opened, onClose, onSecrets }: RotateSecretProps) {
  const form = useForm({ mode: 'controlled', initialValues: { overlapSeconds: '86400' } });
  const rotate = useRotateSecret();
  const dialog = useDialogForm({
    form,
    schema: rotateSecretBody,
    bodyOf: ({ overlapSeconds }) => ({ overlapSeconds: Number(overlapSeconds) }),
    fieldOf: (pointer) => (pointer === '/overlapSeconds' ? 'overlapSeconds' : null),
    send: (body) => rotate.mutateAsync({ id: endpoint.id, ...body }),
    onDone: ({ secret }) => {
      onClose();
      onSecrets([{ label: 'Signing secret', value: secret }]);
    },
  });
  return (
    <FormDialog opened={opened} onClose={onClose} title="Rotate the secret" action="Rotate" form={dialog}>
      <Text fz="sm">A new secret is made and shown once. How long is the old one to sign deliveries as well?</Text>
      <Select
        label="The old secret signs"
        data={overlapsUpTo(604_800)}
        data-autofocus
        {...form.getInputProps('overlapSeconds')}
      />
    </FormDialog>
  );
}
