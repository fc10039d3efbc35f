import { Anchor, Button, Grid, Menu, Stack } from '@mantine/core';
import { IconBan, IconChevronDown, IconCode, IconDownload } from '@tabler/icons-react';
import type { AuthorizationRequestDocument } from '#lib/contracts';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { useCancelRequest, useRequest, useTimeline } from '../../api/authorization-requests.js';
import { CodeBlock } from '../../parts/code-block.js';
import { Confirm } from '../../parts/confirm.js';
import { Copyable } from '../../parts/copy-button.js';
import { tellDone } from '../../parts/done.js';
import { download } from '../../parts/download.js';
import { Facts } from '../../parts/facts.js';
import { Loaded } from '../../parts/loaded.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { PageSkeleton } from '../../parts/page-skeleton.js';
import { RequestStatus } from '../../parts/request-status.js';
import { Section } from '../../parts/section.js';
import { useMayWrite } from '../../shell/session.js';
import { WatchedRequest } from './watched-request.js';
import { reasonWords } from './words.js';

/** One transaction: its timeline as it happens, and everything that is on record. */
export function TransactionPage() {
  const { id = '' } = useParams();
  const query = useRequest(id);
  return (
    <Loaded query={query} skeleton={<PageSkeleton whole />}>
      {(request) => <Transaction key={id} request={request} />}
    </Loaded>
  );
}

function Transaction({ request: data }: { readonly request: AuthorizationRequestDocument }) {
  const { id } = data;
  const timeline = useTimeline(id);
  const [raw, setRaw] = useState(false);
  const [cancelling, setCancelling] = useState(false);
  const mayWrite = useMayWrite();
  const json = JSON.stringify({ ...data, timeline: timeline.data?.data ?? [] }, null, 2);
  const open = data.status === 'requested' || data.status === 'pending';
  return (
    <>
      <PageHeader
        title={data.bindingMessage ?? data.rule.name}
        windowTitle="Transaction"
        path={[{ label: 'Requests' }, { label: 'Transactions', to: '/transactions' }]}
        state={<RequestStatus status={data.status} />}
        actions={
          <>
            <Menu position="bottom-end">
              <Menu.Target>
                <Button variant="default" rightSection={<IconChevronDown size={15} aria-hidden />}>
                  JSON
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconCode size={16} aria-hidden />} onClick={() => setRaw(!raw)}>
                  {raw ? 'Hide' : 'Show'}
                </Menu.Item>
                <Menu.Item
                  leftSection={<IconDownload size={16} aria-hidden />}
                  onClick={() => download(`transaction-${data.id}.json`, `${json}\n`, 'application/json')}
                >
                  Download
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
            {open && mayWrite && (
              <Button
                color="red"
                variant="light"
                leftSection={<IconBan size={16} aria-hidden />}
                onClick={() => setCancelling(true)}
              >
                Cancel the request
              </Button>
            )}
          </>
        }
      />
      <Stack gap="md">
        {raw && (
          <Section title="JSON">
            <CodeBlock value={json} what="the transaction as JSON" />
          </Section>
        )}
        <Grid gap="md">
          <Grid.Col span={{ base: 12, xl: 7 }}>
            <WatchedRequest request={data} />
          </Grid.Col>
          <Grid.Col span={{ base: 12, xl: 5 }}>
            <Section title="On record">
              <Record request={data} />
            </Section>
          </Grid.Col>
        </Grid>
      </Stack>
      <CancelRequest id={id} opened={cancelling && open} onClose={() => setCancelling(false)} />
    </>
  );
}

function Record({ request }: { readonly request: AuthorizationRequestDocument }) {
  const { id, rule, reason, bindingMessage, createdAt, expiresAt, consumedAt, decision, requestHash, metadata } =
    request;
  const evidence = decision?.evidence;
  return (
    <Facts
      of={[
        ['Id', <Copyable value={id} what="the id" />],
        [
          'Rule',
          <>
            <Anchor component={Link} to={`/access/rules/${rule.id}`} inherit underline="always">
              {rule.name}
            </Anchor>
            , version {rule.version}
          </>,
        ],
        ['Binding message', bindingMessage ?? 'none'],
        ['Asked', <Moment at={createdAt} full />],
        ...(decision ? [] : [['Answer due', <Moment at={expiresAt} full none="not asked yet" />] as const]),
        ...(reason === null ? [] : [['Reason', reasonWords(reason)] as const]),
        ...(decision ? [['Decided', <Moment at={decision.decidedAt} full />] as const] : []),
        ...(evidence
          ? [
              ['Approved by', `${evidence.subject} at ${evidence.issuer}`] as const,
              ['Used', <Moment at={consumedAt} full none="not yet" />] as const,
            ]
          : []),
        ...(decision ? [['Decision', <Copyable value={decision.id} what="the id of the decision" />] as const] : []),
        ['Request hash', <Copyable value={requestHash} what="the request hash" />],
        ...Object.entries(metadata).map(([name, value]) => [`Metadata ${name}`, value] as const),
      ]}
    />
  );
}

interface CancelRequestProps {
  readonly id: string;
  readonly opened: boolean;
  readonly onClose: () => void;
}

function CancelRequest({ id, opened, onClose }: CancelRequestProps) {
  const cancel = useCancelRequest();
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title="Cancel this request?"
      action="Cancel the request"
      back="Keep it"
      pending={cancel.isPending}
      error={cancel.error}
      onConfirm={() =>
        cancel.mutate(id, {
          onSuccess: () => {
            tellDone('The request is cancelled.');
            onClose();
          },
        })
      }
    >
      The caller is told that it was withdrawn. What the person answers later is recorded and never used.
    </Confirm>
  );
}
