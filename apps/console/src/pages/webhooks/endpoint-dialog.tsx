import { Checkbox, Stack, Switch, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import {
  decisionEventTypes,
  webhookEndpointBody,
  webhookEventTypes,
  type WebhookEndpoint,
  type WebhookEventType,
} from '#lib/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { webhookEndpoints } from '../../api/webhook-endpoints.js';
import { tellDone } from '../../parts/done.js';
import { FormDialog } from '../../parts/form-dialog.js';
import type { ShownOnceProps } from '../../parts/shown-once.js';
import { useDialogForm } from '../../parts/use-dialog-form.js';

interface EndpointValues {
  url: string;
  description: string;
  events: string[];
  enabled: boolean;
}

export interface EndpointDialogProps {
  /** Null: a new one. */
  readonly endpoint: WebhookEndpoint | null;
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly onSecrets: (secrets: ShownOnceProps['secrets']) => void;
}

const valuesOf = (endpoint: WebhookEndpoint | null): EndpointValues => ({
  url: endpoint?.url ?? '',
  description: endpoint?.description ?? '',
  events: [...(endpoint?.events ?? decisionEventTypes)],
  enabled: endpoint?.enabled ?? true,
});

const bodyOf = ({ url, description, events, enabled }: EndpointValues) => ({
  url: url.trim(),
  description: description.trim() === '' ? null : description.trim(),
  events: events as WebhookEventType[],
  enabled,
});

const labels: Readonly<Record<string, string>> = {
  url: 'URL',
  description: 'Description',
  events: 'Events',
  enabled: 'Enabled',
};

/** The form of a webhook endpoint. */
export function EndpointDialog({ endpoint, opened, onClose, onSecrets }: EndpointDialogProps) {
  const form = useForm<EndpointValues>({ mode: 'controlled', initialValues: valuesOf(endpoint) });
  const create = webhookEndpoints.useCreate();
  const replace = webhookEndpoints.useReplace();
  const queries = useQueryClient();
  const dialog = useDialogForm({
    form,
    schema: webhookEndpointBody,
    bodyOf,
    fieldOf: (pointer) => {
      const member = pointer.split('/')[1] ?? '';
      return Object.hasOwn(labels, member) ? member : null;
    },
    ...(endpoint && {
      stored: {
        noun: 'webhook endpoint',
        base: bodyOf(valuesOf(endpoint)),
        read: async () => {
          const theirs = await queries.fetchQuery({ ...webhookEndpoints.single(endpoint.id), staleTime: 0 });
          return { body: bodyOf(valuesOf(theirs)), version: theirs.version, changedAt: theirs.updatedAt };
        },
        labelOf: (member: string) => labels[member] ?? member,
      },
    }),
    send: async (body, version = endpoint?.version): Promise<ShownOnceProps['secrets']> => {
      if (endpoint) {
        await replace.mutateAsync({ id: endpoint.id, version: version!, body });
        return null;
      }
      const { secret } = await create.mutateAsync(body);
      return [{ label: 'Signing secret', value: secret }];
    },
    onDone: (secrets) => {
      tellDone('The webhook endpoint is saved.');
      onClose();
      onSecrets(secrets);
    },
  });
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title={endpoint ? 'Edit the webhook endpoint' : 'Add a webhook endpoint'}
      size="lg"
      form={dialog}
    >
      <TextInput
        label="URL"
        description="An https address that is reached from where Assent runs."
        withAsterisk
        data-autofocus
        {...form.getInputProps('url')}
      />
      <TextInput label="Description" {...form.getInputProps('description')} />
      <Checkbox.Group label="Events" withAsterisk {...form.getInputProps('events')}>
        <Stack gap={8} mt={8}>
          {webhookEventTypes
            .filter((type) => type !== 'test.ping')
            .map((type) => (
              <Checkbox key={type} value={type} label={<code>{type}</code>} />
            ))}
        </Stack>
      </Checkbox.Group>
      <Switch
        label="Enabled"
        description="A disabled endpoint is told nothing; decisions wait for it for a while."
        {...form.getInputProps('enabled', { type: 'checkbox' })}
      />
    </FormDialog>
  );
}
