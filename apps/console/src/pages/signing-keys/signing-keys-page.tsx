import { Button, Stack, Text } from '@mantine/core';
import type { SigningKeyDocument } from '#lib/contracts';
import { useState } from 'react';
import { useKeySet, useSigningKeys } from '../../api/signing-keys.js';
import { CodeBlock } from '../../parts/code-block.js';
import { Copyable } from '../../parts/copy-button.js';
import { ListTable, type Column } from '../../parts/list-table.js';
import { Loaded } from '../../parts/loaded.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { RowsSkeleton } from '../../parts/page-skeleton.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { Section } from '../../parts/section.js';
import { StatusBadge, type Tone } from '../../parts/status-badge.js';

const uses: Readonly<Record<SigningKeyDocument['use'], readonly [name: string, what: string]>> = {
  'client-assertion': ['Private Key JWT', 'proves Assent to token providers'],
  'request-object': ['Signed requests', 'signs start calls'],
  receipt: ['Receipts', 'proves approvals to anybody'],
  callback: ['Callbacks', 'signs deliveries (v1a)'],
  audit: ['Audit log', 'seals what was done'],
};

const states: Readonly<Record<SigningKeyDocument['state'], readonly [tone: Tone, words: string]>> = {
  current: ['good', 'Signs now'],
  next: ['waiting', 'Comes next'],
  retired: ['quiet', 'Retired'],
};

const columns: ReadonlyArray<Column<SigningKeyDocument>> = [
  {
    title: 'Use',
    cell: ({ use }) => (
      <div>
        <Text fz="sm" fw={600}>
          {uses[use][0]}
        </Text>
        <Text fz="xs" c="dimmed">
          {uses[use][1]}
        </Text>
      </div>
    ),
  },
  { title: 'Algorithm', cell: ({ alg }) => alg },
  { title: 'State', cell: ({ state }) => <StatusBadge tone={states[state][0]}>{states[state][1]}</StatusBadge> },
  { title: 'Key ID', wide: true, cell: ({ kid }) => <code>{kid}</code> },
  {
    title: 'Signs since',
    cell: ({ activatedAt, retiredAt }) => (
      <div>
        <Moment at={activatedAt} none="not yet" />
        {retiredAt !== null && (
          <Text fz="xs" c="dimmed">
            until <Moment at={retiredAt} />
          </Text>
        )}
      </div>
    ),
  },
];

/** Security › Signing Keys. */
export function SigningKeysPage() {
  const query = useSigningKeys();
  const [open, setOpen] = useState(false);
  const keySet = useKeySet(open);
  const address = `${location.origin}/.well-known/jwks.json`;
  return (
    <>
      <PageHeader
        title="Signing Keys"
        path={[{ label: 'Security' }]}
        lead="Assent makes and changes its own keys. The next ones are published long before they sign, so that providers know them in time."
      />
      <Stack gap="md">
        <Loaded query={query} skeleton={<RowsSkeleton />}>
          {(keys) => <ListTable label="Signing keys" columns={columns} items={keys} keyOf={({ kid }) => kid} />}
        </Loaded>
        <Section
          title="Key set"
          lead="Token providers read it as the client’s jwks_uri; whoever verifies a receipt or a callback reads it too."
        >
          <div>
            <Copyable value={address} what="the address" />
          </div>
          {open && keySet.data && <CodeBlock value={JSON.stringify(keySet.data, null, 2)} what="the key set" />}
          {keySet.error && <ProblemAlert error={keySet.error} />}
          <div>
            <Button variant="default" onClick={() => setOpen(!open)} aria-expanded={open}>
              {open ? 'Hide the public keys' : 'Show the public keys'}
            </Button>
          </div>
        </Section>
      </Stack>
    </>
  );
}
