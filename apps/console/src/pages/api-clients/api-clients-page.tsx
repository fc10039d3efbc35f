import { ActionIcon, Badge, Button, Group, Menu, Text } from '@mantine/core';
import { IconDots, IconPencil, IconPlus, IconRefresh, IconTrash, IconUserKey } from '@tabler/icons-react';
import type { ApiClient } from '#lib/contracts';
import { useState } from 'react';
import { apiClients } from '../../api/api-clients.js';
import { ConfirmRemoval } from '../../parts/confirm-removal.js';
import { ListPage } from '../../parts/list-page.js';
import type { Column } from '../../parts/list-table.js';
import { counted } from '../../parts/counted.js';
import { Moment, useNow } from '../../parts/moment.js';
import { ShownOnce, type ShownOnceProps } from '../../parts/shown-once.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { useFilters } from '../../parts/use-filters.js';
import { useMayWrite } from '../../shell/session.js';
import { ClientDialog } from './client-dialog.js';
import { RotateKey } from './rotate-key.js';

type Dialog = { readonly kind: 'edit' | 'rotate' | 'delete'; readonly client: ApiClient } | null;

/** Settings › API Clients. */
export function ApiClientsPage() {
  const query = apiClients.useList();
  const [{ add }, change] = useFilters(['add']);
  const [dialog, setDialog] = useState<Dialog>(null);
  const [shown, setShown] = useState<ShownOnceProps['secrets']>(null);
  const mayWrite = useMayWrite();
  const close = (): void => {
    setDialog(null);
    change({ add: '' });
  };
  const addButton = mayWrite && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => change({ add: 'client' })}>
      Add API Client
    </Button>
  );
  const actions: Column<ApiClient> = {
    title: 'Actions',
    align: 'end',
    cell: (client) => <ClientMenu client={client} onChoose={(kind) => setDialog({ kind, client })} />,
  };
  const columns: ReadonlyArray<Column<ApiClient>> = [
    {
      title: 'Name',
      cell: ({ name, keyPrefix }) => (
        <div>
          <Text fz="sm" fw={600}>
            {name}
          </Text>
          <Text fz="xs" c="dimmed" ff="monospace">
            {keyPrefix}…
          </Text>
        </div>
      ),
    },
    {
      title: 'Scopes',
      cell: ({ scopes }) => (
        <Group gap={4}>
          {scopes.map((scope) => (
            <Badge key={scope} color="gray">
              {scope}
            </Badge>
          ))}
        </Group>
      ),
    },
    {
      title: 'May use',
      cell: ({ rules, subjects }) =>
        [rules === null ? 'every rule' : counted(rules.length, 'rule'), subjects && 'for some people']
          .filter(Boolean)
          .join(', '),
    },
    { title: 'Key', cell: (client) => <KeyState client={client} /> },
    { title: 'Last used', cell: ({ lastUsedAt }) => <Moment at={lastUsedAt} /> },
    ...(mayWrite ? [actions] : []),
  ];
  return (
    <ListPage
      title="API Clients"
      group="Settings"
      lead="The applications that may call the API, what they may do, and until when."
      add={addButton}
      query={query}
      label="API clients"
      columns={columns}
      none={{
        icon: IconUserKey,
        title: 'No API clients yet',
        text: 'Give every application a key of its own: then each sees its own requests only, and one key can be replaced without the others.',
      }}
    >
      {mayWrite && (
        <>
          <ClientDialog
            key={dialog?.kind === 'edit' ? dialog.client.id : 'new'}
            client={dialog?.kind === 'edit' ? dialog.client : null}
            opened={add === 'client' || dialog?.kind === 'edit'}
            onClose={close}
            onSecrets={setShown}
          />
          <RotateKey client={dialog?.kind === 'rotate' ? dialog.client : null} onClose={close} onSecrets={setShown} />
          <ConfirmRemoval
            resource={apiClients}
            item={dialog?.kind === 'delete' ? dialog.client : null}
            noun="API client"
            nameOf={({ name }) => name}
            onClose={close}
          >
            will be gone, and every call with its key is refused from then on.
          </ConfirmRemoval>
        </>
      )}
      <ShownOnce title="The key of this API client" secrets={shown} onClose={() => setShown(null)} />
    </ListPage>
  );
}

/** Whether the key works, and until when. */
function KeyState({ client: { enabled, expiresAt, previousKey } }: { readonly client: ApiClient }) {
  const now = useNow();
  const expired = expiresAt !== null && new Date(expiresAt) <= now;
  return (
    <div>
      {!enabled ? (
        <StatusBadge tone="quiet">Disabled</StatusBadge>
      ) : expired ? (
        <StatusBadge tone="bad">Expired</StatusBadge>
      ) : (
        <StatusBadge tone="good">Works</StatusBadge>
      )}
      <Text fz="xs" c="dimmed" mt={2}>
        {expiresAt === null ? 'without end' : expired ? 'ended ' : 'ends '}
        {expiresAt !== null && <Moment at={expiresAt} />}
      </Text>
      {previousKey && (
        <Text fz="xs" c="dimmed">
          {previousKey.prefix}… ends <Moment at={previousKey.expiresAt} />
        </Text>
      )}
    </div>
  );
}

interface ClientMenuProps {
  readonly client: ApiClient;
  readonly onChoose: (kind: NonNullable<Dialog>['kind']) => void;
}

function ClientMenu({ client, onChoose }: ClientMenuProps) {
  const icon = { size: 16, stroke: 1.7, 'aria-hidden': true };
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${client.name}`}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil {...icon} />} onClick={() => onChoose('edit')}>
          Edit
        </Menu.Item>
        <Menu.Item leftSection={<IconRefresh {...icon} />} onClick={() => onChoose('rotate')}>
          Rotate the key
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          color="var(--mantine-color-error)"
          leftSection={<IconTrash {...icon} />}
          onClick={() => onChoose('delete')}
        >
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
