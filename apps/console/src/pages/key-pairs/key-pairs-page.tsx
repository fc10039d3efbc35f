import { Anchor, Button, Group, Text } from '@mantine/core';
import { IconCertificate, IconFileImport, IconKey } from '@tabler/icons-react';
import type { KeyPair } from '#lib/contracts';
import { Link, useNavigate } from 'react-router';
import { keyPairs } from '../../api/key-pairs.js';
import { tellDone } from '../../parts/done.js';
import { ListPage } from '../../parts/list-page.js';
import type { Column } from '../../parts/list-table.js';
import { Moment } from '../../parts/moment.js';
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
    wide: true,
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
    wide: true,
    cell: ({ usedBy: { rules } }) =>
      rules.length === 0 ? 'no rule' : rules.length === 1 ? rules[0]!.name : `${rules.length} rules`,
  },
];

/** Security › Key Pairs. */
export function KeyPairsPage() {
  const query = keyPairs.useList();
  const [{ add }, change] = useFilters(['add']);
  const navigate = useNavigate();
  const mayWrite = useMayWrite();
  const close = (): void => change({ add: '' });
  const made = ({ id, alias }: KeyPair): void => {
    tellDone(`${alias} is stored.`);
    void navigate(`/security/key-pairs/${id}`);
  };
  const actions = mayWrite && (
    <Group gap="xs">
      <Button
        variant="default"
        leftSection={<IconFileImport size={16} aria-hidden />}
        onClick={() => change({ add: 'import' })}
      >
        Import
      </Button>
      <Button leftSection={<IconKey size={16} aria-hidden />} onClick={() => change({ add: 'generate' })}>
        Generate
      </Button>
    </Group>
  );
  return (
    <ListPage
      title="Key Pairs"
      group="Security"
      lead="Client certificates for mutual TLS with a token provider. A private key goes in and never comes out."
      add={actions}
      query={query}
      label="Key pairs"
      columns={columns}
      none={{
        icon: IconCertificate,
        title: 'No key pairs yet',
        text: 'A rule with the credentials type Mutual TLS needs one. Import what your authority has issued, or generate a key here and have its request signed.',
      }}
    >
      <ImportKeyPair opened={add === 'import' && mayWrite} onClose={close} onDone={made} />
      <GenerateKeyPair opened={add === 'generate' && mayWrite} onClose={close} onDone={made} />
    </ListPage>
  );
}
