import { Anchor, Select, Text } from '@mantine/core';
import { IconActivity } from '@tabler/icons-react';
import type { AuthorizationRequestDocument } from '#lib/contracts';
import { Link } from 'react-router';
import { useRequests } from '../../api/authorization-requests.js';
import { rules } from '../../api/rules.js';
import { EmptyState } from '../../parts/empty-state.js';
import { FilterPair, Filters } from '../../parts/filters.js';
import type { Column } from '../../parts/list-table.js';
import { MinuteFilter } from '../../parts/minute-filter.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { PagedList } from '../../parts/paged-list.js';
import { RequestStatus } from '../../parts/request-status.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { useFilters } from '../../parts/use-filters.js';
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
      <Anchor component={Link} to={`/transactions?rule=${rule.id}`} fz="sm" display="inline-block" miw="8rem">
        {rule.name}
      </Anchor>
    ),
  },
  {
    title: 'Binding message',
    wide: true,
    cell: ({ bindingMessage }) =>
      bindingMessage ?? (
        <Text span inherit c="dimmed">
          none
        </Text>
      ),
  },
  {
    title: 'Used',
    cell: ({ consumedAt, status }) => status === 'approved' && <Moment at={consumedAt} none="not yet" />,
  },
];

/** Requests › Transactions: who was asked what, newest first, as it happens. */
export function TransactionsPage() {
  const [filters, change] = useFilters(['status', 'rule', 'createdAfter', 'createdBefore']);
  const live = filters.cursor === '';
  const query = useRequests(filters, live);
  const ruleList = rules.useList();
  const isGone = filters.rule !== '' && ruleList.data?.some(({ id }) => id === filters.rule) === false;
  const filtered = Object.values(filters).some((value) => value !== '');
  return (
    <>
      <PageHeader
        title="Transactions"
        path={[{ label: 'Requests' }]}
        lead="Who was asked for what, and what came of it. The address of a filtered list is a link to it."
        state={live && query.isSuccess && !query.isPlaceholderData && <StatusBadge tone="good">Live</StatusBadge>}
      />
      <Filters>
        <Select
          label="Status"
          value={statusChoices.some(({ value }) => value === filters.status) ? filters.status : ''}
          onChange={(value) => change({ status: value ?? '' })}
          data={statusChoices}
        />
        <Select
          label="Rule"
          value={filters.rule}
          onChange={(value) => change({ rule: value ?? '' })}
          data={[
            { value: '', label: 'Every rule' },
            ...(ruleList.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
            ...(isGone ? [{ value: filters.rule, label: 'A rule that is gone' }] : []),
          ]}
          searchable
        />
        <FilterPair>
          <MinuteFilter
            label="From"
            value={filters.createdAfter}
            onChange={(createdAfter) => change({ createdAfter })}
          />
          <MinuteFilter
            label="Until"
            end
            value={filters.createdBefore}
            onChange={(createdBefore) => change({ createdBefore })}
          />
        </FilterPair>
      </Filters>
      <PagedList
        query={query}
        label="Transactions"
        columns={columns}
        filtered={filtered}
        empty={
          <EmptyState icon={IconActivity} title="Nobody has been asked yet">
            Send a request with the API, or{' '}
            <Anchor component={Link} inherit underline="always" to="/test-rule">
              try a rule
            </Anchor>{' '}
            here: it appears on this page at once.
          </EmptyState>
        }
      />
    </>
  );
}
