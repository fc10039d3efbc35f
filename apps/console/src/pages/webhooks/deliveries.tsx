import { ActionIcon, Anchor, Button, Group, Select, Text } from '@mantine/core';
import { IconRepeat } from '@tabler/icons-react';
import type { Delivery, WebhookEndpoint } from '#lib/contracts';
import { useState } from 'react';
import { Link } from 'react-router';
import { useDeliveries, useReplayDelivery } from '../../api/webhook-endpoints.js';
import { tellDone } from '../../parts/done.js';
import type { Column } from '../../parts/list-table.js';
import { Moment } from '../../parts/moment.js';
import { PagedList } from '../../parts/paged-list.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { Section } from '../../parts/section.js';
import { StatusBadge, type Tone } from '../../parts/status-badge.js';
import { useFilters } from '../../parts/use-filters.js';
import { useMayWrite } from '../../shell/session.js';
import { ReplayRange } from './replay-range.js';

const states: Readonly<Record<Delivery['state'], readonly [Tone, string]>> = {
  pending: ['waiting', 'Waiting'],
  delivered: ['good', 'Delivered'],
  exhausted: ['bad', 'Given up'],
};

/** What was sent to an endpoint, with every attempt, as it happens. */
export function Deliveries({ endpoint }: { readonly endpoint: WebhookEndpoint }) {
  const [filters, change] = useFilters(['state']);
  const query = useDeliveries(endpoint.id, filters.state, filters.cursor);
  const replay = useReplayDelivery(endpoint.id);
  const [range, setRange] = useState(false);
  const mayWrite = useMayWrite();
  const again: Column<Delivery> = {
    title: 'Actions',
    align: 'end',
    cell: ({ id, type }) => (
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Send this ${type} again`}
        disabled={!endpoint.enabled}
        onClick={() => replay.mutate(id, { onSuccess: () => tellDone('It is sent again.') })}
      >
        <IconRepeat size={17} />
      </ActionIcon>
    ),
  };
  const columns: ReadonlyArray<Column<Delivery>> = [
    {
      title: 'Event',
      cell: ({ type, authorizationRequestId }) => (
        <div>
          <code>{type}</code>
          {authorizationRequestId !== null && (
            <Text fz="xs">
              <Anchor component={Link} to={`/transactions/${authorizationRequestId}`} fz="xs">
                Transaction
              </Anchor>
            </Text>
          )}
        </div>
      ),
    },
    {
      title: 'State',
      cell: ({ state, nextAttemptAt }) => (
        <div>
          <StatusBadge tone={states[state][0]}>{states[state][1]}</StatusBadge>
          {nextAttemptAt !== null && endpoint.enabled && (
            <Text fz="xs" c="dimmed">
              next attempt <Moment at={nextAttemptAt} />
            </Text>
          )}
        </div>
      ),
    },
    { title: 'Attempts', cell: ({ attempts }) => <Attempts attempts={attempts} /> },
    { title: 'Made', cell: ({ createdAt }) => <Moment at={createdAt} /> },
    ...(mayWrite ? [again] : []),
  ];
  return (
    <Section title="Deliveries">
      <Group justify="space-between" align="flex-end">
        <Select
          aria-label="State of the deliveries"
          value={filters.state}
          onChange={(value) => change({ state: value ?? '' })}
          data={[
            { value: '', label: 'Every state' },
            ...Object.entries(states).map(([value, [, label]]) => ({ value, label })),
          ]}
          w={160}
        />
        {mayWrite && (
          <Button variant="default" disabled={!endpoint.enabled} onClick={() => setRange(true)}>
            Replay a range
          </Button>
        )}
      </Group>
      {replay.error && <ProblemAlert error={replay.error} />}
      <PagedList
        query={query}
        label="Deliveries"
        columns={columns}
        filtered={filters.state !== ''}
        none={filters.state === '' ? 'Nothing was sent yet. Send a test to see something arrive.' : 'Nothing matches.'}
      />
      <ReplayRange endpoint={endpoint} opened={range} onClose={() => setRange(false)} />
    </Section>
  );
}

function Attempts({ attempts }: Pick<Delivery, 'attempts'>) {
  const last = attempts.at(-1);
  if (last === undefined) return 'none yet';
  return (
    <details>
      <summary>
        {attempts.length}, last: {last.status === null ? (last.problem ?? 'no answer') : `HTTP ${last.status}`}
      </summary>
      {attempts.map(({ at, status, problem, durationMs }, index) => (
        <Text key={index} fz="xs" c="dimmed">
          <Moment at={at} />: {status === null ? 'no answer' : `HTTP ${status}`}, {durationMs} ms
          {problem !== null && problem !== `answered ${status}` && `, ${problem}`}
        </Text>
      ))}
    </details>
  );
}
