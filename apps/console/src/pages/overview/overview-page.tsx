import { Alert, Anchor, Grid, Group, List, Paper, Select, SimpleGrid, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { Overview, OverviewWindow } from '#lib/contracts';
import { Link, useSearchParams } from 'react-router';
import { useOverview } from '../../api/overview.js';
import { Address } from '../../parts/address.js';
import { Loaded } from '../../parts/loaded.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { RowsSkeleton } from '../../parts/page-skeleton.js';
import { Section } from '../../parts/section.js';
import { StatusBadge, type Tone } from '../../parts/status-badge.js';
import { lengthOfTime } from '../transactions/words.js';
import { ApprovalTimePlot } from './approval-time-plot.js';
import { FirstSteps } from './first-steps.js';
import { OutcomesPlot } from './outcomes-plot.js';

const windowWords: Readonly<Record<OverviewWindow, string>> = { '1h': 'hour', '24h': 'day', '7d': 'week' };
const isWindow = (text: string | null): text is OverviewWindow => text !== null && Object.hasOwn(windowWords, text);

/** How Assent is doing, at a glance; the page keeps itself up to date. */
export function OverviewPage() {
  const [search, setSearch] = useSearchParams();
  const asked = search.get('window');
  const window = isWindow(asked) ? asked : '24h';
  const query = useOverview(window);
  return (
    <>
      <PageHeader
        title="Overview"
        actions={
          <Select
            aria-label="Window"
            value={window}
            onChange={(value) => setSearch({ window: value ?? '24h' }, { replace: true })}
            data={Object.entries(windowWords).map(([value, word]) => ({ value, label: `Last ${word}` }))}
            w={130}
          />
        }
      />
      <Loaded query={query} skeleton={<RowsSkeleton rows={6} />}>
        {(overview) => <Figures overview={overview} />}
      </Loaded>
    </>
  );
}

function Figures({ overview }: { readonly overview: Overview }) {
  const { accepted, outcomes, pendingNow, approvalTime, firstSteps } = overview;
  const answered = outcomes.approved + outcomes.denied;
  const share = answered === 0 ? 'no answers' : `${Math.round((outcomes.approved / answered) * 100)} % of answers`;
  return (
    <Stack gap="md">
      <FirstSteps steps={firstSteps} />
      <Attention overview={overview} />
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md">
        <Figure
          name="Requests"
          value={String(accepted)}
          note={`in the last ${windowWords[overview.window]}`}
          to="/transactions"
        />
        <Figure
          name="Open now"
          value={String(pendingNow)}
          note="waiting for a person"
          to="/transactions?status=requested,pending"
        />
        <Figure name="Approved" value={String(outcomes.approved)} note={share} to="/transactions?status=approved" />
        <Figure
          name="Approval takes"
          value={approvalTime.p50Ms === null ? '–' : lengthOfTime(approvalTime.p50Ms)}
          note={approvalTime.p95Ms === null ? 'no approvals' : `95 %: ${lengthOfTime(approvalTime.p95Ms)}`}
        />
      </SimpleGrid>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Section title="Outcomes" tall>
            <OutcomesPlot overview={overview} />
          </Section>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Section title="Time to approval" tall>
            <ApprovalTimePlot overview={overview} />
          </Section>
        </Grid.Col>
      </Grid>
      <Providers providers={overview.providers} />
    </Stack>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly to?: string;
}

function Figure({ name, value, note, to }: FigureProps) {
  return (
    <Paper p="md">
      <Text fz="sm" c="dimmed">
        {to === undefined ? (
          name
        ) : (
          <Anchor component={Link} to={to} fz="sm">
            {name}
          </Anchor>
        )}
      </Text>
      <Text fz={26} fw={650} lh={1.3}>
        {value}
      </Text>
      <Text fz="xs" c="dimmed">
        {note}
      </Text>
    </Paper>
  );
}

/** What somebody should look at; nothing when there is nothing. */
function Attention({ overview: { expiringKeyPairs, failingEndpoints } }: { readonly overview: Overview }) {
  if (expiringKeyPairs.length + failingEndpoints.length === 0) return null;
  return (
    <Alert color="yellow" icon={<IconAlertTriangle size={18} aria-hidden />}>
      <List fz="sm" spacing={4}>
        {expiringKeyPairs.map(({ id, alias, notAfter }) => (
          <List.Item key={id}>
            The certificate of{' '}
            <Anchor component={Link} to={`/security/key-pairs/${id}`} inherit underline="always">
              {alias}
            </Anchor>{' '}
            ends <Moment at={notAfter} />.
          </List.Item>
        ))}
        {failingEndpoints.map(({ id, url, enabled, failingSince }) => (
          <List.Item key={id}>
            The webhook endpoint{' '}
            <Anchor component={Link} to={`/settings/webhooks/${id}`} inherit underline="always">
              <Address url={url} />
            </Anchor>{' '}
            {enabled ? 'fails' : 'was disabled'}
            {failingSince && (
              <>
                ; the first failure was <Moment at={failingSince} />
              </>
            )}
            .
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

const healthWords: Readonly<Record<Overview['providers'][number]['health'], readonly [Tone, string]>> = {
  good: ['good', 'Good'],
  failing: ['bad', 'Failing'],
  refused: ['bad', 'Refuses a client'],
  unused: ['quiet', 'Not used'],
};

function Providers({ providers }: { readonly providers: Overview['providers'] }) {
  if (providers.length === 0) return null;
  return (
    <Section title="Token providers">
      {providers.map(({ id, name, asked, failed, lastAskedAt, refusedRules, health }) => (
        <Group key={id} justify="space-between" gap="xs">
          <div>
            <Anchor component={Link} to={`/settings/token-providers/${id}`} fz="sm" fw={600}>
              {name}
            </Anchor>
            <Text fz="xs" c="dimmed">
              {asked === 0 ? 'Nobody was asked' : `${asked} asked, ${failed} failed`}
              {lastAskedAt !== null && (
                <>
                  , last <Moment at={lastAskedAt} />
                </>
              )}
            </Text>
            {refusedRules.map((rule) => (
              <Text key={rule.id} fz="xs" c="dimmed">
                refuses the client of{' '}
                <Anchor component={Link} to={`/access/rules/${rule.id}`} inherit underline="always">
                  {rule.name}
                </Anchor>
                : {rule.error}
              </Text>
            ))}
          </div>
          <StatusBadge tone={healthWords[health][0]}>{healthWords[health][1]}</StatusBadge>
        </Group>
      ))}
    </Section>
  );
}
