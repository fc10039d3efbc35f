import { Anchor, Button, Text } from '@mantine/core';
import { IconPlugConnected, IconPlus } from '@tabler/icons-react';
import type { TokenProvider } from '#lib/contracts';
import { Link } from 'react-router';
import { tokenProviders } from '../../api/token-providers.js';
import { Address } from '../../parts/address.js';
import { ListPage } from '../../parts/list-page.js';
import type { Column } from '../../parts/list-table.js';
import { Moment } from '../../parts/moment.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { useMayWrite } from '../../shell/session.js';
import { DiscoveryState } from './discovery-state.js';
import { profileName } from './profile-names.js';

const columns: ReadonlyArray<Column<TokenProvider>> = [
  {
    title: 'Name',
    cell: ({ id, name, issuer }) => (
      <div>
        <Anchor component={Link} to={`/settings/token-providers/${id}`} fw={600} fz="sm">
          {name}
        </Anchor>
        <Text fz="xs" c="dimmed">
          <Address url={issuer} />
        </Text>
      </div>
    ),
  },
  { title: 'Profile', cell: ({ profile }) => profileName(profile) },
  { title: 'Discovery', cell: ({ discovery }) => <DiscoveryState of={discovery} /> },
  { title: 'Last checked', cell: ({ discovery }) => <Moment at={discovery.checkedAt} /> },
  {
    title: 'Clients',
    cell: ({ alerts }) =>
      alerts.length === 0 ? 'none refused' : <StatusBadge tone="bad">{`${alerts.length} refused`}</StatusBadge>,
  },
];

/** Settings › Token Provider. */
export function TokenProvidersPage() {
  const query = tokenProviders.useList();
  const mayWrite = useMayWrite();
  return (
    <ListPage
      title="Token Provider"
      group="Settings"
      lead="The OpenID Providers that ask people on their devices (CIBA)."
      add={
        mayWrite && (
          <Button component={Link} to="/settings/token-providers/new" leftSection={<IconPlus size={16} aria-hidden />}>
            Add Token Provider
          </Button>
        )
      }
      query={query}
      label="Token providers"
      columns={columns}
      none={{
        icon: IconPlugConnected,
        title: 'No token provider yet',
        text: 'Name the OpenID Provider that knows your people and reaches their phones. Nothing is called until you check it.',
      }}
    />
  );
}
