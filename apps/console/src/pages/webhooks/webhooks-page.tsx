import { Anchor, Button, Text } from '@mantine/core';
import { IconPlus, IconWebhook } from '@tabler/icons-react';
import type { WebhookEndpoint } from '#lib/contracts';
import { useState } from 'react';
import { Link } from 'react-router';
import { webhookEndpoints } from '../../api/webhook-endpoints.js';
import { EmptyState } from '../../parts/empty-state.js';
import { ListTable, type Column } from '../../parts/list-table.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { RowsSkeleton } from '../../parts/page-skeleton.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { ShownOnce, type ShownOnceProps } from '../../parts/shown-once.js';
import { useMayWrite } from '../../shell/session.js';
import { EndpointDialog } from './endpoint-dialog.js';
import { EndpointState } from './endpoint-state.js';

const columns: ReadonlyArray<Column<WebhookEndpoint>> = [
  {
    title: 'URL',
    cell: ({ id, url, description }) => (
      <div>
        <Anchor component={Link} to={`/settings/webhooks/${id}`} fw={600} fz="sm">
          {url}
        </Anchor>
        {description && (
          <Text fz="xs" c="dimmed">
            {description}
          </Text>
        )}
      </div>
    ),
  },
  { title: 'Events', cell: ({ events }) => events.map((type) => type.replace('decision.', '')).join(', ') },
  { title: 'State', cell: (endpoint) => <EndpointState endpoint={endpoint} /> },
  { title: 'Changed', cell: ({ updatedAt }) => <Moment at={updatedAt} /> },
];

/** Settings › Webhooks: who is told of decisions. */
export function WebhooksPage() {
  const { data, error, refetch } = webhookEndpoints.useList();
  const [adding, setAdding] = useState(false);
  const [shown, setShown] = useState<ShownOnceProps['secrets']>(null);
  const mayWrite = useMayWrite();
  const add = mayWrite && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
      Add Webhook Endpoint
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Webhooks"
        path={[{ label: 'Settings' }]}
        lead="Addresses that are told every decision, signed (Standard Webhooks) and repeated until they answer."
        actions={data && data.length > 0 && add}
      />
      {error ? (
        <ProblemAlert error={error} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <RowsSkeleton />
      ) : data.length === 0 ? (
        <EmptyState icon={IconWebhook} title="No webhook endpoints yet" action={add}>
          Add the address of an application: it is told how each request ends, without asking.
        </EmptyState>
      ) : (
        <ListTable label="Webhook endpoints" columns={columns} items={data} keyOf={({ id }) => id} />
      )}
      {mayWrite && (
        <EndpointDialog endpoint={null} opened={adding} onClose={() => setAdding(false)} onSecrets={setShown} />
      )}
      <ShownOnce title="The secret of this endpoint" secrets={shown} onClose={() => setShown(null)} />
    </>
  );
}
