import { ActionIcon, Anchor, Button, Group, Menu, Select, Text, TextInput } from '@mantine/core';
import {
  IconCopy,
  IconDots,
  IconFlask2,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlus,
  IconSearch,
  IconShieldCheck,
  IconTrash,
} from '@tabler/icons-react';
import type { Rule } from '#lib/contracts';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { rules } from '../../api/rules.js';
import { tokenProviders } from '../../api/token-providers.js';
import { Confirm } from '../../parts/confirm.js';
import { tellDone } from '../../parts/done.js';
import { EmptyState } from '../../parts/empty-state.js';
import { ListTable, type Column } from '../../parts/list-table.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { RowsSkeleton } from '../../parts/page-skeleton.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { useFilters } from '../../parts/use-filters.js';
import { useMayWrite } from '../../shell/session.js';
import { credentialsNames } from './rule-words.js';

/** Access › Rules. */
export function RulesPage() {
  const { data, error, refetch } = rules.useList();
  const providers = tokenProviders.useList();
  const mayWrite = useMayWrite();
  const [filters, setFilter] = useFilters(['q', 'provider', 'state']);
  const [deleting, setDeleting] = useState<Rule | null>(null);
  const change = rules.useChange();
  const nameOfProvider = (id: string): string => providers.data?.find((provider) => provider.id === id)?.name ?? '…';

  const add = (
    <Button component={Link} to="/access/rules/new" leftSection={<IconPlus size={16} aria-hidden />}>
      Add Rule
    </Button>
  );
  const toggle = (rule: Rule): void =>
    change.mutate(
      { id: rule.id, version: rule.version, body: { enabled: !rule.enabled } },
      { onSuccess: ({ name, enabled }) => tellDone(`${name} is ${enabled ? 'enabled' : 'disabled'}.`) },
    );
  const columns: ReadonlyArray<Column<Rule>> = [
    {
      title: 'Name',
      cell: ({ id, name }) => (
        <Anchor component={Link} to={`/access/rules/${id}`} fw={600} fz="sm">
          {name}
        </Anchor>
      ),
    },
    { title: 'Token provider', cell: ({ tokenProviderId }) => nameOfProvider(tokenProviderId) },
    {
      title: 'Client',
      cell: ({ clientId, clientCredentials }) => (
        <div>
          {clientId}
          <Text fz="xs" c="dimmed">
            {credentialsNames[clientCredentials.type]}
          </Text>
        </div>
      ),
    },
    { title: 'Login hint from', cell: ({ loginHintAttribute }) => <code>{loginHintAttribute}</code> },
    {
      title: 'State',
      cell: ({ enabled }) => (
        <StatusBadge tone={enabled ? 'good' : 'quiet'}>{enabled ? 'Enabled' : 'Disabled'}</StatusBadge>
      ),
    },
    { title: 'Changed', cell: ({ updatedAt }) => <Moment at={updatedAt} /> },
    {
      title: 'Actions',
      align: 'end',
      cell: (rule) => (
        <RuleMenu {...{ rule, mayWrite, onToggle: () => toggle(rule), onDelete: () => setDeleting(rule) }} />
      ),
    },
  ];
  const shown = (data ?? []).filter(
    ({ name, clientId, tokenProviderId, enabled }) =>
      `${name}\n${clientId}`.toLowerCase().includes(filters.q.toLowerCase()) &&
      (filters.provider === '' || tokenProviderId === filters.provider) &&
      (filters.state === '' || enabled === (filters.state === 'enabled')),
  );

  return (
    <>
      <PageHeader
        title="Rules"
        path={[{ label: 'Access' }]}
        lead="A rule says who asks, which token provider asks the person, and what happens when the answer is no."
        actions={mayWrite && data && data.length > 0 && add}
      />
      {error ? (
        <ProblemAlert error={error} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <RowsSkeleton />
      ) : data.length === 0 ? (
        <EmptyState icon={IconShieldCheck} title="No rules yet" action={mayWrite && add}>
          Applications name a rule when they ask for an approval. Add the first one; it needs a token provider and a
          client that is registered there.
        </EmptyState>
      ) : (
        <>
          <Group gap="xs" mb="md">
            <TextInput
              aria-label="Search rules"
              placeholder="Search"
              leftSection={<IconSearch size={15} aria-hidden />}
              value={filters.q}
              onChange={(event) => setFilter('q', event.currentTarget.value)}
              w={{ base: '100%', xs: 240 }}
            />
            <Select
              aria-label="Token provider"
              value={filters.provider}
              onChange={(value) => setFilter('provider', value ?? '')}
              data={[
                { value: '', label: 'Every provider' },
                ...(providers.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
              ]}
              w={180}
            />
            <Select
              aria-label="State"
              value={filters.state}
              onChange={(value) => setFilter('state', value ?? '')}
              data={[
                { value: '', label: 'Every state' },
                { value: 'enabled', label: 'Enabled' },
                { value: 'disabled', label: 'Disabled' },
              ]}
              w={140}
            />
          </Group>
          {change.error && <ProblemAlert error={change.error} />}
          <ListTable label="Rules" columns={columns} items={shown} keyOf={({ id }) => id} />
        </>
      )}
      <DeleteRule rule={deleting} onClose={() => setDeleting(null)} />
    </>
  );
}

interface RuleMenuProps {
  readonly rule: Rule;
  readonly mayWrite: boolean;
  readonly onToggle: () => void;
  readonly onDelete: () => void;
}

function RuleMenu({ rule, mayWrite, onToggle, onDelete }: RuleMenuProps) {
  const icon = { size: 16, stroke: 1.7, 'aria-hidden': true };
  return (
    <Menu position="bottom-end" width={190}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${rule.name}`}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to={`/access/rules/${rule.id}`} leftSection={<IconPencil {...icon} />}>
          {mayWrite ? 'Edit' : 'View'}
        </Menu.Item>
        <Menu.Item component={Link} to={`/test-rule/${rule.id}`} leftSection={<IconFlask2 {...icon} />}>
          Test
        </Menu.Item>
        {mayWrite && (
          <>
            <Menu.Item component={Link} to={`/access/rules/new?copy=${rule.id}`} leftSection={<IconCopy {...icon} />}>
              Duplicate
            </Menu.Item>
            <Menu.Item
              leftSection={rule.enabled ? <IconPlayerPause {...icon} /> : <IconPlayerPlay {...icon} />}
              onClick={onToggle}
            >
              {rule.enabled ? 'Disable' : 'Enable'}
            </Menu.Item>
            <Menu.Divider />
            <Menu.Item color="red" leftSection={<IconTrash {...icon} />} onClick={onDelete}>
              Delete
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Asks, then deletes. */
export function DeleteRule({ rule, onClose }: { readonly rule: Rule | null; readonly onClose: () => void }) {
  const remove = rules.useRemove();
  const navigate = useNavigate();
  const close = (): void => {
    remove.reset();
    onClose();
  };
  return (
    <Confirm
      opened={rule !== null}
      onClose={close}
      title="Delete this rule?"
      action="Delete the rule"
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => {
        if (rule === null) return;
        remove.mutate(rule, {
          onSuccess: () => {
            tellDone(`${rule.name} is deleted.`);
            close();
            void navigate('/access/rules');
          },
        });
      }}
    >
      <b>{rule?.name}</b> will be gone, and applications that name it are refused. To keep it and take no requests,
      disable it instead.
    </Confirm>
  );
}
