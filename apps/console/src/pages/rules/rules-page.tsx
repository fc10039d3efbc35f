import { ActionIcon, Anchor, Button, Menu, Select, Text } from '@mantine/core';
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
import { Link } from 'react-router';
import { rules } from '../../api/rules.js';
import { tokenProviders } from '../../api/token-providers.js';
import { ConfirmRemoval } from '../../parts/confirm-removal.js';
import { tellDone } from '../../parts/done.js';
import { Filters } from '../../parts/filters.js';
import { ListPage } from '../../parts/list-page.js';
import type { Column } from '../../parts/list-table.js';
import { Moment } from '../../parts/moment.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { TextFilter } from '../../parts/text-filter.js';
import { useFilters } from '../../parts/use-filters.js';
import { useMayWrite } from '../../shell/session.js';
import { credentialsNames, whatRemovalMeans } from './rule-words.js';

/** Access › Rules. */
export function RulesPage() {
  const query = rules.useList();
  const providers = tokenProviders.useList();
  const mayWrite = useMayWrite();
  const [filters, filter] = useFilters(['q', 'provider', 'state']);
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
    { title: 'Login hint from', spare: true, cell: ({ loginHintAttribute }) => <code>{loginHintAttribute}</code> },
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
  const passes = ({ name, clientId, tokenProviderId, enabled }: Rule): boolean =>
    `${name}\n${clientId}`.toLowerCase().includes(filters.q.toLowerCase()) &&
    (filters.provider === '' || tokenProviderId === filters.provider) &&
    (filters.state === '' || enabled === (filters.state === 'enabled'));

  return (
    <ListPage
      title="Rules"
      group="Access"
      lead="A rule says who asks, which token provider asks the person, and what happens when the answer is no."
      add={mayWrite && add}
      query={query}
      label="Rules"
      columns={columns}
      passes={passes}
      none={{
        icon: IconShieldCheck,
        title: 'No rules yet',
        text: 'Applications name a rule when they ask for an approval. Add the first one; it needs a token provider and a client that is registered there.',
      }}
      filters={
        <>
          <Filters>
            <TextFilter
              aria-label="Search rules"
              placeholder="Search"
              leftSection={<IconSearch size={15} aria-hidden />}
              value={filters.q}
              onChange={(q) => filter({ q })}
            />
            <Select
              aria-label="Token provider"
              value={filters.provider}
              onChange={(value) => filter({ provider: value ?? '' })}
              data={[
                { value: '', label: 'Every provider' },
                ...(providers.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
              ]}
            />
            <Select
              aria-label="State"
              value={filters.state}
              onChange={(value) => filter({ state: value ?? '' })}
              data={[
                { value: '', label: 'Every state' },
                { value: 'enabled', label: 'Enabled' },
                { value: 'disabled', label: 'Disabled' },
              ]}
            />
          </Filters>
          {change.error && <ProblemAlert error={change.error} mb="md" />}
        </>
      }
    >
      <ConfirmRemoval
        resource={rules}
        item={deleting}
        noun="rule"
        nameOf={({ name }) => name}
        onClose={() => setDeleting(null)}
      >
        {whatRemovalMeans}
      </ConfirmRemoval>
    </ListPage>
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
            <Menu.Item color="var(--mantine-color-error)" leftSection={<IconTrash {...icon} />} onClick={onDelete}>
              Delete
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
