import { Alert, Button, Stack } from '@mantine/core';
import { IconAlertTriangle, IconPencil, IconRefresh, IconSend2 } from '@tabler/icons-react';
import type { WebhookEndpoint } from '#lib/contracts';
import { useState } from 'react';
import { useParams } from 'react-router';
import { useTestEndpoint, webhookEndpoints } from '../../api/webhook-endpoints.js';
import { tellDone } from '../../parts/done.js';
import { Facts } from '../../parts/facts.js';
import { Moment } from '../../parts/moment.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { Section } from '../../parts/section.js';
import { ShownOnce, type ShownOnceProps } from '../../parts/shown-once.js';
import { StoredPage } from '../../parts/stored-page.js';
import { useMayWrite } from '../../shell/session.js';
import { Deliveries } from './deliveries.js';
import { EndpointDialog } from './endpoint-dialog.js';
import { EndpointState } from './endpoint-state.js';
import { RotateSecret } from './rotate-secret.js';

/** One webhook endpoint: what it is told, and what was sent to it. */
export function WebhookPage() {
  const { id = '' } = useParams();
  const [dialog, setDialog] = useState<'edit' | 'rotate' | null>(null);
  /** As it was when somebody began to change it: what is typed stays when others save. */
  const [edited, setEdited] = useState<WebhookEndpoint | null>(null);
  const [shown, setShown] = useState<ShownOnceProps['secrets']>(null);
  const test = useTestEndpoint(id);
  const mayWrite = useMayWrite();
  const close = (): void => setDialog(null);
  const choose = (chosen: 'edit' | 'rotate', endpoint: WebhookEndpoint): void => {
    setEdited(endpoint);
    setDialog(chosen);
  };
  return (
    <StoredPage
      key={id}
      id={id}
      resource={webhookEndpoints}
      noun="webhook endpoint"
      nameOf={({ url }) => url}
      path={[{ label: 'Settings' }, { label: 'Webhooks', to: '/settings/webhooks' }]}
      listPath="/settings/webhooks"
      removal="will be told nothing more, what waits for it included."
      head={(endpoint) => ({
        windowTitle: 'Webhook endpoint',
        state: <EndpointState endpoint={endpoint} />,
        actions: mayWrite && <Actions endpoint={endpoint} test={test} onChoose={choose} />,
      })}
    >
      {(endpoint) => (
        <>
          <Stack gap="md">
            {test.error && <ProblemAlert error={test.error} />}
            {!endpoint.enabled && mayWrite && <Reenable endpoint={endpoint} />}
            <Section title="Endpoint">
              <Facts
                of={[
                  ['Description', endpoint.description ?? 'none'],
                  ['Events', endpoint.events.join(', ')],
                  ...(endpoint.failingSince === null
                    ? []
                    : [['Failing since', <Moment at={endpoint.failingSince} full />] as const]),
                  ...(endpoint.previousSecretUntil === null
                    ? []
                    : [
                        [
                          'Signed with the old secret as well until',
                          <Moment at={endpoint.previousSecretUntil} full />,
                        ] as const,
                      ]),
                ]}
              />
            </Section>
            <Deliveries endpoint={endpoint} />
          </Stack>
          {mayWrite && (
            <>
              <EndpointDialog
                key={edited?.version}
                endpoint={edited ?? endpoint}
                opened={dialog === 'edit'}
                onClose={close}
                onSecrets={() => undefined}
              />
              <RotateSecret endpoint={endpoint} opened={dialog === 'rotate'} onClose={close} onSecrets={setShown} />
            </>
          )}
          <ShownOnce title="The secret of this endpoint" secrets={shown} onClose={() => setShown(null)} />
        </>
      )}
    </StoredPage>
  );
}

interface ActionsProps {
  readonly endpoint: WebhookEndpoint;
  readonly test: ReturnType<typeof useTestEndpoint>;
  readonly onChoose: (dialog: 'edit' | 'rotate', endpoint: WebhookEndpoint) => void;
}

function Actions({ endpoint, test, onChoose }: ActionsProps) {
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconSend2 size={16} aria-hidden />}
        loading={test.isPending}
        disabled={!endpoint.enabled}
        onClick={() => test.mutate(undefined, { onSuccess: () => tellDone('A test.ping is on its way.') })}
      >
        Send a test
      </Button>
      <Button
        variant="default"
        leftSection={<IconPencil size={16} aria-hidden />}
        onClick={() => onChoose('edit', endpoint)}
      >
        Edit
      </Button>
      <Button
        variant="default"
        leftSection={<IconRefresh size={16} aria-hidden />}
        onClick={() => onChoose('rotate', endpoint)}
      >
        Rotate the secret
      </Button>
    </>
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
