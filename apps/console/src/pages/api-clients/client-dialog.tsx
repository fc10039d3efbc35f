import { Checkbox, MultiSelect, NumberInput, SimpleGrid, Stack, Switch, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { apiClientBody, apiClientPatch, scopes, type ApiClient } from '#lib/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { apiClients } from '../../api/api-clients.js';
import { rules } from '../../api/rules.js';
import { tellDone } from '../../parts/done.js';
import { FormDialog } from '../../parts/form-dialog.js';
import type { ShownOnceProps } from '../../parts/shown-once.js';
import { useDialogForm } from '../../parts/use-dialog-form.js';
import {
  clientChangeOf,
  clientField,
  clientValuesOf,
  labelOfClientMember,
  newClientValues,
  type ClientValues,
} from './client-values.js';

const scopeWords = {
  'requests:write': 'ask for approvals and use them',
  'requests:read': 'see its own requests',
  'admin:read': 'see all configuration',
  'admin:write': 'change all configuration',
} as const;

export interface ClientDialogProps {
  /** Null: a new one. */
  readonly client: ApiClient | null;
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly onSecrets: (secrets: ShownOnceProps['secrets']) => void;
}

/** The form of an API client. */
export function ClientDialog({ client, opened, onClose, onSecrets }: ClientDialogProps) {
  const form = useForm<ClientValues>({
    mode: 'controlled',
    initialValues: client ? clientValuesOf(client) : newClientValues,
  });
  const create = apiClients.useCreate();
  const change = apiClients.useChange();
  const queries = useQueryClient();
  const ruleList = rules.useList();
  const dialog = useDialogForm({
    form,
    schema: client ? apiClientPatch : apiClientBody,
    bodyOf: (values) => ({
      ...clientChangeOf(values, client),
      ...(!client && { callbackSecret: values.callbackSecret }),
    }),
    fieldOf: clientField,
    ...(client && {
      stored: {
        noun: 'API client',
        base: clientChangeOf(clientValuesOf(client), client),
        read: async () => {
          const theirs = await queries.fetchQuery({ ...apiClients.single(client.id), staleTime: 0 });
          const body = clientChangeOf(clientValuesOf(theirs), theirs);
          return { body, version: theirs.version, changedAt: theirs.updatedAt };
        },
        labelOf: labelOfClientMember,
      },
    }),
    send: async (body, version = client?.version): Promise<Pick<ShownOnceProps, 'secrets'> & { name: string }> => {
      if (client) {
        const { name } = await change.mutateAsync({ id: client.id, version: version!, body });
        return { name, secrets: null };
      }
      const { name, key, callbackSecret } = await create.mutateAsync(body);
      const callback = callbackSecret === null ? [] : [{ label: 'Callback secret', value: callbackSecret }];
      return { name, secrets: [{ label: 'API key', value: key }, ...callback] };
    },
    onDone: ({ name, secrets }) => {
      tellDone(`${name} is saved.`);
      onClose();
      onSecrets(secrets);
    },
  });
  const { allRules } = form.getValues();
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title={client ? `API client ${client.name}` : 'Add an API client'}
      size="lg"
      form={dialog}
    >
      <TextInput label="Name" withAsterisk maxLength={64} data-autofocus {...form.getInputProps('name')} />
      <Checkbox.Group label="Scopes" withAsterisk {...form.getInputProps('scopes')}>
        <Stack gap={8} mt={8}>
          {scopes.map((scope) => (
            <Checkbox key={scope} value={scope} label={scope} description={scopeWords[scope]} />
          ))}
        </Stack>
      </Checkbox.Group>
      <Switch label="May use every rule" {...form.getInputProps('allRules', { type: 'checkbox' })} />
      {!allRules && (
        <MultiSelect
          label="Rules"
          size="sm"
          searchable
          data={(ruleList.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
          {...form.getInputProps('rules')}
        />
      )}
      <Textarea
        label="People"
        description='Whom it may have asked, as JSON: [{"endsWith":"@example.com"}]. Empty: everybody.'
        spellCheck={false}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.78rem' } }}
        {...form.getInputProps('subjects')}
      />
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <NumberInput
          label="Requests per Minute"
          description="Empty: as configured; 0: no limit."
          {...form.getInputProps('requestsPerMinute')}
        />
        <TextInput label="Key Ends On" type="date" description="Empty: never." {...form.getInputProps('expiresOn')} />
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextInput
          label="OAuth Issuer"
          description="Whose access tokens count as this client’s."
          {...form.getInputProps('oauthIssuer')}
        />
        <TextInput
          label="OAuth Client ID"
          description="As that issuer knows it."
          {...form.getInputProps('oauthClientId')}
        />
      </SimpleGrid>
      {!client && (
        <Checkbox
          label="Make a callback secret as well"
          description="Callbacks of this client are then also signed with a shared secret (v1)."
          {...form.getInputProps('callbackSecret', { type: 'checkbox' })}
        />
      )}
      <Switch
        label="Enabled"
        description="A disabled client’s calls are refused."
        {...form.getInputProps('enabled', { type: 'checkbox' })}
      />
    </FormDialog>
  );
}
