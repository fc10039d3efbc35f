import { Alert, Stack } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import type { AuthorizationRequestDocument } from '#lib/contracts';
import { apiClients } from '../../api/api-clients.js';
import { useDeliveriesOf, useRequestEvents, useTimeline } from '../../api/authorization-requests.js';
import { RowsSkeleton } from '../../parts/page-skeleton.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { Section } from '../../parts/section.js';
import { CallersAnswer } from './callers-answer.js';
import { TimelineList } from './timeline-list.js';
import { timelineSteps } from './timeline-steps.js';

/** The timeline of a request, as it happens, and what the caller gets in the end. */
export function WatchedRequest({ request: data }: { readonly request: AuthorizationRequestDocument }) {
  const { id } = data;
  const decided = data.decision !== null;
  useRequestEvents(id, !decided);
  const timeline = useTimeline(id);
  const deliveries = useDeliveriesOf(id, decided);
  const clients = apiClients.useList();
  if (timeline.data === undefined) {
    return timeline.error ? (
      <ProblemAlert error={timeline.error} onRetry={() => void timeline.refetch()} />
    ) : (
      <RowsSkeleton />
    );
  }
  const nameOf = (id: string) => clients.data?.find((client) => client.id === id)?.name;
  const steps = timelineSteps(timeline.data.data, deliveries.data?.data ?? [], data.status, nameOf);
  return (
    <Stack gap="md">
      {data.providerError && !isPlainDenial(data) && <ProviderSaid error={data.providerError} />}
      <Section title="Timeline">
        <TimelineList steps={steps} />
      </Section>
      {data.decision?.rejection && <CallersAnswer rejection={data.decision.rejection} />}
    </Stack>
  );
}

/** The person said no, and the provider used the word that there is for it. */
const isPlainDenial = ({ reason, providerError }: AuthorizationRequestDocument): boolean =>
  reason === null && providerError?.code === 'access_denied';

function ProviderSaid({
  error: { code, description },
}: {
  readonly error: NonNullable<AuthorizationRequestDocument['providerError']>;
}) {
  return (
    <Alert color="yellow" icon={<IconInfoCircle size={18} aria-hidden />}>
      The token provider said <code>{code}</code>
      {description && `: ${description}`}
    </Alert>
  );
}
