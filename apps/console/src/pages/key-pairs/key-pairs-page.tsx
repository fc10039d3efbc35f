import { Anchor, Button, Group, Text } from '@mantine/core';
import { IconCertificate, IconFileImport, IconKey } from '@tabler/icons-react';
import type { KeyPair } from '#lib/contracts';
import { Link, useNavigate } from 'react-router';
import { keyPairs } from '../../api/key-pairs.js';
import { tellDone } from '../../parts/done.js';
import { EmptyState } from '../../parts/empty-state.js';
import { ListTable, type Column } from '../../parts/list-table.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { RowsSkeleton } from '../../parts/page-skeleton.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { useFilters } from '../../parts/use-filters.js';
import { useMayWrite } from '../../shell/session.js';
import { GenerateKeyPair } from './generate-key-pair.js';
import { ImportKeyPair } from './import-key-pair.js';
import { KeyPairStatus } from './key-pair-status.js';

const columns: ReadonlyArray<Column<KeyPair>> = [
  {
    title: 'Alias',
    cell: ({ id, alias }) => (
      <Anchor component={Link} to={`/security/key-pairs/${id}`} fw={600} fz="sm">
        {alias}
      </Anchor>
    ),
  },
  {
    title: 'Subject',
    cell: ({ subject, keyAlgorithm }) => (
      <div>
        {subject}
        <Text fz="xs" c="dimmed">
          {keyAlgorithm}
        </Text>
      </div>
    ),
  },
  { title: 'Status', cell: ({ status }) => <KeyPairStatus status={status} /> },
  { title: 'Expires', cell: ({ notAfter }) => <Moment at={notAfter} /> },
  {
    title: 'Used by',
    cell: ({ usedBy: { rules } }) =>
      rules.length === 0 ? 'no rule' : rules.length === 1 ? rules[0]!.name : `${rules.length} rules`,
  },
];

/** Security › Key Pairs. */
export function KeyPairsPage() {
  const { data, error, refetch } = keyPairs.useList();
  const [{ add }, setFilter] = useFilters(['add']);
  const navigate = useNavigate();
  const mayWrite = useMayWrite();
  const close = (): void => setFilter('add', '');
  const made = ({ id, alias }: KeyPair): void => {
    tellDone(`${alias} is stored.`);
    void navigate(`/security/key-pairs/${id}`);
  };
  const actions = mayWrite && (
    <Group gap="xs">
      <Button
        variant="default"
        leftSection={<IconFileImport size={16} aria-hidden />}
        onClick={() => setFilter('add', 'import')}
      >
        Import
      </Button>
      <Button leftSection={<IconKey size={16} aria-hidden />} onClick={() => setFilter('add', 'generate')}>
        Generate
      </Button>
    </Group>
  );
  return (
    <>
      <PageHeader
        title="Key Pairs"
        path={[{ label: 'Security' }]}
        lead="Client certificates for mutual TLS with a token provider. A private key goes in and never comes out."
        actions={data && data.length > 0 && actions}
      />
      {error ? (
        <ProblemAlert error={error} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <RowsSkeleton />
      ) : data.length === 0 ? (
        <EmptyState icon={IconCertificate} title="No key pairs yet" action={actions}>
          A rule with the credentials type Mutual TLS needs one. Import what your authority has issued, or generate a
          key here and have its request signed.
        </EmptyState>
      ) : (
        <ListTable label="Key pairs" columns={columns} items={data} keyOf={({ id }) => id} />
      )}
      <ImportKeyPair opened={add === 'import' && mayWrite} onClose={close} onDone={made} />
      <GenerateKeyPair opened={add === 'generate' && mayWrite} onClose={close} onDone={made} />
    </>
  );
}
