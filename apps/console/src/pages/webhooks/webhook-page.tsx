import { Alert, Button, Group, Menu, Stack } from '@mantine/core';
import { IconAlertTriangle, IconDots, IconPencil, IconRefresh, IconSend2, IconTrash } from '@tabler/icons-react';
import type { WebhookEndpoint } from '#lib/contracts';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { useTestEndpoint, webhookEndpoints } from '../../api/webhook-endpoints.js';
import { Confirm } from '../../parts/confirm.js';
import { tellDone } from '../../parts/done.js';
import { Facts } from '../../parts/facts.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { PageSkeleton } from '../../parts/page-skeleton.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { Section } from '../../parts/section.js';
import { ShownOnce, type ShownOnceProps } from '../../parts/shown-once.js';
import { useMayWrite } from '../../shell/session.js';
import { Deliveries } from './deliveries.js';
import { EndpointDialog } from './endpoint-dialog.js';
import { EndpointState } from './endpoint-state.js';
import { RotateSecret } from './rotate-secret.js';

type Dialog = 'edit' | 'rotate' | 'delete' | null;

/** One webhook endpoint: what it is told, and what was sent to it. */
export function WebhookPage() {
  const { id = '' } = useParams();
  const { data, error, refetch } = webhookEndpoints.useOne(id);
  const [dialog, setDialog] = useState<Dialog>(null);
  const [shown, setShown] = useState<ShownOnceProps['secrets']>(null);
  const mayWrite = useMayWrite();
  if (error) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <PageSkeleton />;
  const close = (): void => setDialog(null);
  return (
    <>
      <PageHeader
        title={data.url}
        windowTitle="Webhook endpoint"
        path={[{ label: 'Settings' }, { label: 'Webhooks', to: '/settings/webhooks' }]}
        state={<EndpointState endpoint={data} />}
        actions={mayWrite && <Actions endpoint={data} onChoose={setDialog} />}
      />
      <Stack gap="md">
        {!data.enabled && mayWrite && <Reenable endpoint={data} />}
        <Section title="Endpoint">
          <Facts
            of={[
              ['Description', data.description ?? 'none'],
              ['Events', data.events.join(', ')],
              ['Failing since', <Moment at={data.failingSince} full none="it works" />],
              ...(data.previousSecretUntil === null
                ? []
                : [
                    [
                      'Signed with the old secret as well until',
                      <Moment at={data.previousSecretUntil} full />,
                    ] as const,
                  ]),
            ]}
          />
        </Section>
        <Deliveries endpoint={data} />
      </Stack>
      {mayWrite && (
        <>
          <EndpointDialog
            key={data.version}
            endpoint={data}
            opened={dialog === 'edit'}
            onClose={close}
            onSecrets={() => undefined}
          />
          <RotateSecret endpoint={data} opened={dialog === 'rotate'} onClose={close} onSecrets={setShown} />
          <DeleteEndpoint endpoint={data} opened={dialog === 'delete'} onClose={close} />
        </>
      )}
      <ShownOnce title="The secret of this endpoint" secrets={shown} onClose={() => setShown(null)} />
    </>
  );
}

interface ActionsProps {
  readonly endpoint: WebhookEndpoint;
  readonly onChoose: (dialog: Dialog) => void;
}

function Actions({ endpoint, onChoose }: ActionsProps) {
  const test = useTestEndpoint(endpoint.id);
  const icon = { size: 16, stroke: 1.7, 'aria-hidden': true };
  return (
    <Group gap="xs">
      <Button
        variant="default"
        leftSection={<IconSend2 {...icon} />}
        loading={test.isPending}
        disabled={!endpoint.enabled}
        onClick={() => test.mutate(undefined, { onSuccess: () => tellDone('A test.ping is on its way.') })}
      >
        Send a test
      </Button>
      <Menu position="bottom-end" width={190}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconDots {...icon} />}>
            More
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil {...icon} />} onClick={() => onChoose('edit')}>
            Edit
          </Menu.Item>
          <Menu.Item leftSection={<IconRefresh {...icon} />} onClick={() => onChoose('rotate')}>
            Rotate the secret
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<IconTrash {...icon} />} onClick={() => onChoose('delete')}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}

function Reenable({ endpoint: { id, version, disabledReason, disabledAt } }: { readonly endpoint: WebhookEndpoint }) {
  const change = webhookEndpoints.useChange();
  const why = { gone: 'It answered 410 Gone', failing: 'Nothing has arrived there for days' };
  return (
    <Alert color="yellow" icon={<IconAlertTriangle size={18} aria-hidden />}>
      <Stack gap="xs" align="flex-start">
        <span>
          This endpoint is told nothing.{' '}
          {disabledReason === null ? 'An administrator has disabled it' : why[disabledReason]}
          {disabledAt && (
            <>
              {' '}
              · <Moment at={disabledAt} />
            </>
          )}
          .
        </span>
        {change.error && <ProblemAlert error={change.error} />}
        <Button
          size="compact-sm"
          variant="default"
          loading={change.isPending}
          onClick={() =>
            change.mutate(
              { id, version, body: { enabled: true } },
              { onSuccess: () => tellDone('It is enabled again.') },
            )
          }
        >
          Enable it again
        </Button>
      </Stack>
    </Alert>
  );
}

interface DeleteEndpointProps {
  readonly endpoint: WebhookEndpoint;
  readonly opened: boolean;
  readonly onClose: () => void;
}

function DeleteEndpoint({ endpoint, opened, onClose }: DeleteEndpointProps) {
  const remove = webhookEndpoints.useRemove();
  const navigate = useNavigate();
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title="Delete this webhook endpoint?"
      action="Delete the webhook endpoint"
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() =>
        remove.mutate(endpoint, {
          onSuccess: () => {
            tellDone('The webhook endpoint is deleted.');
            void navigate('/settings/webhooks');
          },
        })
      }
    >
      Nothing more is sent to <b>{endpoint.url}</b>, what waits for it included.
    </Confirm>
  );
}
