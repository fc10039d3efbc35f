import { Anchor, Button, Text } from '@mantine/core';
import { IconPlugConnected, IconPlus } from '@tabler/icons-react';
import type { TokenProvider } from '#lib/contracts';
import { Link } from 'react-router';
import { tokenProviders } from '../../api/token-providers.js';
import { EmptyState } from '../../parts/empty-state.js';
import { ListTable, type Column } from '../../parts/list-table.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { RowsSkeleton } from '../../parts/page-skeleton.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { useMayWrite } from '../../shell/session.js';
import { DiscoveryState } from './discovery-state.js';

const columns: ReadonlyArray<Column<TokenProvider>> = [
  {
    title: 'Name',
    cell: ({ id, name, issuer }) => (
      <div>
        <Anchor component={Link} to={`/settings/token-providers/${id}`} fw={600} fz="sm">
          {name}
        </Anchor>
        <Text fz="xs" c="dimmed">
          {issuer}
        </Text>
      </div>
    ),
  },
  { title: 'Profile', cell: ({ profile }) => profile },
  { title: 'Discovery', cell: ({ discovery }) => <DiscoveryState of={discovery} /> },
  { title: 'Last checked', cell: ({ discovery }) => <Moment at={discovery.checkedAt} /> },
  {
    title: 'Clients',
    cell: ({ alerts }) =>
      alerts.length === 0 ? 'accepted' : <StatusBadge tone="bad">{`${alerts.length} refused`}</StatusBadge>,
  },
];

/** Settings › Token Provider. */
export function TokenProvidersPage() {
  const { data, error, refetch } = tokenProviders.useList();
  const mayWrite = useMayWrite();
  const add = mayWrite && (
    <Button component={Link} to="/settings/token-providers/new" leftSection={<IconPlus size={16} aria-hidden />}>
      Add Token Provider
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Token Provider"
        path={[{ label: 'Settings' }]}
        lead="The OpenID Providers that ask people on their devices (CIBA)."
        actions={data && data.length > 0 && add}
      />
      {error ? (
        <ProblemAlert error={error} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <RowsSkeleton />
      ) : data.length === 0 ? (
        <EmptyState icon={IconPlugConnected} title="No token provider yet" action={add}>
          Name the OpenID Provider that knows your people and reaches their phones. Nothing is called until you check
          it.
        </EmptyState>
      ) : (
        <ListTable label="Token providers" columns={columns} items={data} keyOf={({ id }) => id} />
      )}
    </>
  );
}
