import { Select, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { replayDeliveriesBody, type ReplayDeliveriesBody, type WebhookEndpoint } from '#lib/contracts';
import { useReplayRange } from '../../api/webhook-endpoints.js';
import { counted } from '../../parts/counted.js';
import { tellDone } from '../../parts/done.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { MinuteField } from '../../parts/minute-field.js';
import { useDialogForm } from '../../parts/use-dialog-form.js';

const choices = [
  { value: 'exhausted', label: 'What was given up' },
  { value: 'delivered', label: 'What had arrived' },
  { value: 'any', label: 'Both' },
];

const empty = { since: '', until: '', state: 'exhausted' as ReplayDeliveriesBody['state'] };

export interface ReplayRangeProps {
  readonly endpoint: WebhookEndpoint;
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** Sends everything of a time again: after an outage, say. */
export function ReplayRange({ endpoint, opened, onClose }: ReplayRangeProps) {
  const form = useForm({ mode: 'controlled', initialValues: empty });
  const replay = useReplayRange(endpoint.id);
  const dialog = useDialogForm({
    form,
    schema: replayDeliveriesBody,
    bodyOf: ({ since, until, state }) => ({ since, ...(until !== '' && { until }), state }),
    fieldOf: (pointer) => (Object.hasOwn(empty, pointer.slice(1)) ? pointer.slice(1) : null),
    send: (body) => replay.mutateAsync(body),
    onDone: (done) => {
      tellDone(`Sent again: ${counted(done?.replayed ?? 0, 'delivery', 'deliveries')}.`);
      onClose();
    },
  });
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title="Replay a range"
      action="Replay"
      form={dialog}
      incomplete={form.getValues().since === ''}
    >
      <Text fz="sm">
        Deliveries of this time are sent again under the ids that they had: a careful receiver sees that it knows them.
      </Text>
      <MinuteField label="Since" withAsterisk {...form.getInputProps('since')} />
      <MinuteField label="Until" description="Empty: up to now." end {...form.getInputProps('until')} />
      <Select label="What" data={choices} {...form.getInputProps('state')} />
    </FormDialog>
  );
}
