import { Alert, Anchor, Badge, Button, Group, Stack, Text } from '@mantine/core';
import { IconCircleCheck, IconStethoscope } from '@tabler/icons-react';
import type { FindingSeverity, FindingSubject, ProviderCheck, ProviderFinding, TokenProvider } from '#lib/contracts';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useCheckTokenProvider } from '../../api/token-providers.js';
import { Moment, useNow } from '../../parts/moment.js';
import { RowsSkeleton } from '../../parts/page-skeleton.js';
import { absoluteTime } from '../../parts/relative-time.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { Section } from '../../parts/section.js';
import { StatusBadge, type Tone } from '../../parts/status-badge.js';
import { useMayWrite } from '../../shell/session.js';
import classes from './doctor.module.css';

const tones: Readonly<Record<FindingSeverity, readonly [tone: Tone, words: string]>> = {
  error: ['bad', 'Error'],
  warning: ['warning', 'Warning'],
  note: ['quiet', 'Note'],
};

const subjects: Readonly<Record<FindingSubject, string>> = {
  discovery: 'Discovery',
  tls: 'TLS',
  clock: 'Clock',
  ciba: 'CIBA',
  'client-authentication': 'Client authentication',
  rule: 'Rule',
  keys: 'Keys',
};

/** Looks at a provider and its rules on demand, and says what it finds and what to do. */
export function Doctor({ provider }: { readonly provider: TokenProvider }) {
  const check = useCheckTokenProvider();
  const mayWrite = useMayWrite();
  const now = useNow();
  return (
    <Section
      title="Doctor"
      lead="Discovery, TLS, clocks, CIBA capabilities, keys, and every rule’s client, looked at now."
    >
      {provider.alerts.map((alert) => (
        <Alert
          key={`${alert.rule.id} ${alert.call}`}
          color="red"
          title={`The provider refuses the client of ${alert.rule.name}`}
        >
          It said <code>{alert.error}</code>, first <Moment at={alert.since} />. Requests of{' '}
          <Anchor underline="always" component={Link} to={`/access/rules/${alert.rule.id}`} fz="sm">
            the rule
          </Anchor>{' '}
          {new Date(alert.pausedUntil) > now ? (
            <>
              wait; one goes out <Moment at={alert.pausedUntil} />.
            </>
          ) : (
            'go out one by one until it is accepted.'
          )}
        </Alert>
      ))}
      {provider.discovery.problem !== null && !check.data && (
        <Alert color="red" title="The last look failed">
          {provider.discovery.problem}
        </Alert>
      )}
      <Group justify="space-between">
        <Text fz="sm" c="dimmed">
          Last checked <Moment at={check.data?.checkedAt ?? provider.discovery.checkedAt} />
        </Text>
        {mayWrite && (
          <Button
            leftSection={<IconStethoscope size={16} aria-hidden />}
            loading={check.isPending}
            onClick={() => check.mutate(provider.id)}
          >
            Check now
          </Button>
        )}
      </Group>
      <div aria-live="polite">
        {check.error && <ProblemAlert error={check.error} onRetry={() => check.mutate(provider.id)} />}
        {check.isPending ? <RowsSkeleton rows={3} /> : check.data && <Findings check={check.data} />}
      </div>
    </Section>
  );
}

function Findings({ check: { ok, findings } }: { readonly check: ProviderCheck }) {
  return (
    <Stack gap="sm">
      {ok && (
        <Alert icon={<IconCircleCheck size={18} aria-hidden />} title="Ready for requests">
          {findings.length === 0 ? 'Nothing was found that anybody has to look at.' : 'No finding is an error.'}
        </Alert>
      )}
      <ul className={classes.findings}>
        {findings.map((finding, index) => (
          <Finding key={index} of={finding} />
        ))}
      </ul>
    </Stack>
  );
}

/** What stands between backticks is code; instants are told as everywhere. */
const withCode = (text: string): ReactNode =>
  text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (instant) => absoluteTime(new Date(instant)))
    .split('`')
    .map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));

function Finding({ of: { severity, code, title, detail, remedy, rule, about } }: { readonly of: ProviderFinding }) {
  const [tone, words] = tones[severity];
  return (
    <li className={classes.finding} data-severity={severity}>
      <Group gap="xs" mb={4}>
        <StatusBadge tone={tone}>{words}</StatusBadge>
        <Badge color="gray">{rule ? rule.name : subjects[about]}</Badge>
      </Group>
      <Text fz="sm" fw={600}>
        {title}
      </Text>
      {detail !== '' && <Text fz="sm">{withCode(detail)}</Text>}
      {severity !== 'note' && (
        <Text fz="sm" c="dimmed" mt={2}>
          {withCode(remedy)}
        </Text>
      )}
      <Text fz="xs" c="dimmed" mt={4}>
        <code>{code}</code>
      </Text>
    </li>
  );
}
