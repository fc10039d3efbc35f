import { Anchor, Button, Text } from '@mantine/core';
import { IconPlus, IconWebhook } from '@tabler/icons-react';
import type { WebhookEndpoint } from '#lib/contracts';
import { useState } from 'react';
import { Link } from 'react-router';
import { webhookEndpoints } from '../../api/webhook-endpoints.js';
import { Address } from '../../parts/address.js';
import { ListPage } from '../../parts/list-page.js';
import type { Column } from '../../parts/list-table.js';
import { Moment } from '../../parts/moment.js';
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
          <Address url={url} />
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
  const query = webhookEndpoints.useList();
  const [adding, setAdding] = useState(false);
  const [shown, setShown] = useState<ShownOnceProps['secrets']>(null);
  const mayWrite = useMayWrite();
  return (
    <ListPage
      title="Webhooks"
      group="Settings"
      lead="Addresses that are told every decision, signed (Standard Webhooks) and repeated until they answer."
      add={
        mayWrite && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
            Add Webhook Endpoint
          </Button>
        )
      }
      query={query}
      label="Webhook endpoints"
      columns={columns}
      none={{
        icon: IconWebhook,
        title: 'No webhook endpoints yet',
        text: 'Add the address of an application: it is told how each request ends, without asking.',
      }}
    >
      {mayWrite && (
        <EndpointDialog endpoint={null} opened={adding} onClose={() => setAdding(false)} onSecrets={setShown} />
      )}
      <ShownOnce title="The secret of this endpoint" secrets={shown} onClose={() => setShown(null)} />
    </ListPage>
  );
}
