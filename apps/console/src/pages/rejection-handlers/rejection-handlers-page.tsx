import { Anchor, Button, Stack, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { RejectionHandler } from '#lib/contracts';
import { Link } from 'react-router';
import { rejectionHandlers } from '../../api/rejection-handlers.js';
import { rules } from '../../api/rules.js';
import { Address } from '../../parts/address.js';
import { ListPage } from '../../parts/list-page.js';
import type { Column } from '../../parts/list-table.js';
import { Moment } from '../../parts/moment.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { useMayWrite } from '../../shell/session.js';

/** Access › Rejection Handlers. The predefined ones are always there: this list is never empty. */
export function RejectionHandlersPage() {
  const query = rejectionHandlers.useList();
  const mayWrite = useMayWrite();
  const columns: ReadonlyArray<Column<RejectionHandler>> = [
    {
      title: 'Name',
      cell: ({ id, name, predefined }) => (
        <Stack gap={2} align="flex-start">
          <Anchor component={Link} to={`/access/rejection-handlers/${id}`} fw={600} fz="sm">
            {name}
          </Anchor>
          {predefined && <StatusBadge tone="quiet">Predefined</StatusBadge>}
        </Stack>
      ),
    },
    { title: 'Type', cell: ({ type }) => (type === 'redirect' ? 'Redirect' : 'Error Template') },
    {
      title: 'Answer',
      cell: (handler) => (
        <div>
          <code>{handler.status}</code>
          <Text fz="xs" c="dimmed">
            {handler.type === 'redirect' ? <Address url={handler.url} /> : handler.contentType}
          </Text>
        </div>
      ),
    },
    { title: 'Used by', cell: ({ id }) => <UsedBy id={id} /> },
    { title: 'Changed', cell: ({ updatedAt }) => <Moment at={updatedAt} /> },
  ];
  return (
    <ListPage
      title="Rejection Handlers"
      group="Access"
      lead="What an application passes on to its user when the person says no, does not answer, or cannot be asked."
      add={
        mayWrite && (
          <Button component={Link} to="/access/rejection-handlers/new" leftSection={<IconPlus size={16} aria-hidden />}>
            Add Rejection Handler
          </Button>
        )
      }
      query={query}
      label="Rejection handlers"
      columns={columns}
    />
  );
}

/** How many rules name this handler. */
function UsedBy({ id }: { readonly id: string }) {
  const { data } = rules.useList();
  if (!data) return <>…</>;
  const users = data.filter(({ timeoutRejectionHandlerId, denyRejectionHandlerId, errorRejectionHandlerId }) =>
    [timeoutRejectionHandlerId, denyRejectionHandlerId, errorRejectionHandlerId].includes(id),
  );
  return <>{users.length === 0 ? 'no rule' : users.length === 1 ? users[0]!.name : `${users.length} rules`}</>;
}
