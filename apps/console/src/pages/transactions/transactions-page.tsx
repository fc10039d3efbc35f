import { Anchor, Group, Select, Text, TextInput } from '@mantine/core';
import { IconActivity } from '@tabler/icons-react';
import type { AuthorizationRequestDocument } from '#lib/contracts';
import { Link } from 'react-router';
import { useRequests } from '../../api/authorization-requests.js';
import { rules } from '../../api/rules.js';
import { EmptyState } from '../../parts/empty-state.js';
import { ListTable, type Column } from '../../parts/list-table.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { RowsSkeleton } from '../../parts/page-skeleton.js';
import { Pager } from '../../parts/pager.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { RequestStatus } from '../../parts/request-status.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { useListFilters } from '../../parts/use-list-filters.js';
import { endOfMinute, instantOf, localMinute } from './local-minute.js';
import { reasonWords } from './words.js';

const statusChoices = [
  { value: '', label: 'Every status' },
  { value: 'requested,pending', label: 'Open' },
  { value: 'approved', label: 'Approved' },
  { value: 'denied', label: 'Denied' },
  { value: 'expired', label: 'Expired' },
  { value: 'cancelled', label: 'Cancelled' },
  { value: 'failed', label: 'Failed' },
];

const columns: ReadonlyArray<Column<AuthorizationRequestDocument>> = [
  {
    title: 'Asked',
    cell: ({ id, createdAt }) => (
      <Anchor component={Link} to={`/transactions/${id}`} fw={600} fz="sm">
        <Moment at={createdAt} />
      </Anchor>
    ),
  },
  {
    title: 'Status',
    cell: ({ status, reason }) => (
      <div>
        <RequestStatus status={status} />
        {reason && (
          <Text fz="xs" c="dimmed">
            {reasonWords(reason)}
          </Text>
        )}
      </div>
    ),
  },
  {
    title: 'Rule',
    cell: ({ rule }) => (
      <Anchor component={Link} to={`/transactions?rule=${rule.id}`} fz="sm">
        {rule.name}
      </Anchor>
    ),
  },
  { title: 'Binding message', cell: ({ bindingMessage }) => bindingMessage ?? <Text c="dimmed">none</Text> },
  {
    title: 'Used',
    cell: ({ consumedAt, status }) => status === 'approved' && <Moment at={consumedAt} none="not yet" />,
  },
];

/** Requests › Transactions: who was asked what, newest first, as it happens. */
export function TransactionsPage() {
  const [filters, change] = useListFilters(['status', 'rule', 'createdAfter', 'createdBefore']);
  const live = filters.cursor === '';
  const { data, error, refetch } = useRequests(filters, live);
  const ruleList = rules.useList();
  const filtered = Object.values(filters).some((value) => value !== '');
  return (
    <>
      <PageHeader
        title="Transactions"
        path={[{ label: 'Requests' }]}
        lead="Who was asked for what, and what came of it. The address of a filtered list is a link to it."
        state={live && data && <StatusBadge tone="good">Live</StatusBadge>}
      />
      <Group gap="xs" mb="md" align="flex-end">
        <Select
          label="Status"
          value={statusChoices.some(({ value }) => value === filters.status) ? filters.status : ''}
          onChange={(value) => change({ status: value ?? '' })}
          data={statusChoices}
          w={150}
        />
        <Select
          label="Rule"
          value={filters.rule}
          onChange={(value) => change({ rule: value ?? '' })}
          data={[
            { value: '', label: 'Every rule' },
            ...(ruleList.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
          ]}
          searchable
          w={220}
        />
        <TextInput
          label="From"
          type="datetime-local"
          value={localMinute(filters.createdAfter)}
          onChange={(event) => change({ createdAfter: instantOf(event.currentTarget.value) })}
        />
        <TextInput
          label="Until"
          type="datetime-local"
          value={localMinute(filters.createdBefore)}
          onChange={(event) => change({ createdBefore: endOfMinute(event.currentTarget.value) })}
        />
      </Group>
      {error ? (
        <ProblemAlert error={error} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <RowsSkeleton rows={8} />
      ) : data.data.length === 0 && !filtered ? (
        <EmptyState icon={IconActivity} title="Nobody has been asked yet">
          Send a request with the API, or{' '}
          <Anchor component={Link} inherit underline="always" to="/test-rule">
            try a rule
          </Anchor>{' '}
          here: it appears on this page at once.
        </EmptyState>
      ) : (
        <>
          <ListTable label="Transactions" columns={columns} items={data.data} keyOf={({ id }) => id} />
          <Pager nextCursor={data.nextCursor} />
        </>
      )}
    </>
  );
}
