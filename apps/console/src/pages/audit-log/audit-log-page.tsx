import { Anchor, Text } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import type { AuditEvent } from '#lib/contracts';
import { Link } from 'react-router';
import { useAuditLog } from '../../api/audit-log.js';
import { EmptyState } from '../../parts/empty-state.js';
import { FilterPair, Filters } from '../../parts/filters.js';
import type { Column } from '../../parts/list-table.js';
import { MinuteFilter } from '../../parts/minute-filter.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { PagedList } from '../../parts/paged-list.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { TextFilter } from '../../parts/text-filter.js';
import { useFilters } from '../../parts/use-filters.js';
import { Changes } from './changes.js';
import { nameOf, placeOf } from './place-of.js';

const actorWords: Readonly<Record<AuditEvent['actor']['type'], string>> = {
  'api-client': 'API client',
  'bootstrap-key': 'Bootstrap key',
  person: 'The person asked',
  provider: 'Token provider',
  system: 'Assent',
  user: 'User',
};

const columns: ReadonlyArray<Column<AuditEvent>> = [
  { title: 'When', cell: ({ at }) => <Moment at={at} /> },
  {
    title: 'Who',
    cell: ({ actor }) => (
      <div>
        {actor.name ?? actorWords[actor.type]}
        <Text fz="xs" c="dimmed">
          {actor.name !== null ? actorWords[actor.type] : actor.type !== 'bootstrap-key' && actor.id}
        </Text>
      </div>
    ),
  },
  {
    title: 'What',
    wide: true,
    cell: ({ action, changes, detail }) => (
      <div>
        <code>{action}</code>
        <Changes changes={changes} detail={detail} />
      </div>
    ),
  },
  {
    title: 'On',
    cell: ({ resource }) => {
      const place = placeOf(resource);
      const name = nameOf(resource);
      return place === null ? (
        name
      ) : (
        <Anchor component={Link} to={place} fz="sm">
          {name}
        </Anchor>
      );
    },
  },
  {
    title: 'Sealed',
    cell: ({ sequence }) => (sequence === null ? <StatusBadge tone="waiting">Soon</StatusBadge> : <>no. {sequence}</>),
  },
];

/** Settings › Audit Log: who has done what, and what it changed. */
export function AuditLogPage() {
  const [filters, change] = useFilters(['actor', 'action', 'resource', 'since', 'until']);
  const query = useAuditLog(filters);
  const filtered = Object.values(filters).some((value) => value !== '');
  return (
    <>
      <PageHeader
        title="Audit Log"
        path={[{ label: 'Settings' }]}
        lead={
          <>
            Every administrative change and every decision, chained and signed. Verify it with{' '}
            <code style={{ whiteSpace: 'nowrap' }}>assent audit verify</code>.
          </>
        }
      />
      <Filters>
        <TextFilter
          label="Who"
          placeholder="id, user, …"
          value={filters.actor}
          onChange={(actor) => change({ actor })}
        />
        <TextFilter
          label="What"
          placeholder="rule.updated"
          value={filters.action}
          onChange={(action) => change({ action })}
        />
        <TextFilter
          label="On"
          placeholder="id, rule, …"
          value={filters.resource}
          onChange={(resource) => change({ resource })}
        />
        <FilterPair>
          <MinuteFilter label="Since" value={filters.since} onChange={(since) => change({ since })} />
          <MinuteFilter label="Until" end value={filters.until} onChange={(until) => change({ until })} />
        </FilterPair>
      </Filters>
      <PagedList
        query={query}
        label="Audit events"
        columns={columns}
        filtered={filtered}
        empty={
          <EmptyState icon={IconHistory} title="Nothing has been done yet">
            Each change of a rule, a key or anything else appears here, and so does each decision some seconds after it
            was made.
          </EmptyState>
        }
      />
    </>
  );
}
