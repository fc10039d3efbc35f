import { Group, Stack, Text } from '@mantine/core';
import type { ConfigurationChange } from '#lib/contracts';
import { StatusBadge, type Tone } from '../../parts/status-badge.js';
import { nounOf } from './nouns.js';
import classes from './change-list.module.css';

const actions: Readonly<Record<ConfigurationChange['action'], readonly [tone: Tone, words: string]>> = {
  create: ['good', 'Create'],
  update: ['waiting', 'Change'],
  delete: ['bad', 'Delete'],
};

const shown = (value: unknown): string =>
  value === null || value === undefined ? '—' : typeof value === 'string' ? value : JSON.stringify(value);

/** What is or would be changed, object by object. */
export function ChangeList({ changes }: { readonly changes: readonly ConfigurationChange[] }) {
  return (
    <ul className={classes.list}>
      {changes.map(({ kind, name, action, changes: members }) => (
        <li key={`${kind} ${name}`} className={classes.item}>
          <Group gap="xs">
            <StatusBadge tone={actions[action][0]}>{actions[action][1]}</StatusBadge>
            <Text fz="sm" fw={600}>
              {name}
            </Text>
            <Text fz="xs" c="dimmed">
              {nounOf(kind)}
            </Text>
          </Group>
          {action === 'update' && (
            <Stack gap={2} mt={6}>
              {members.map(({ pointer, before, after }) => (
                <Text key={pointer} fz="xs">
                  <code>{pointer}</code> {shown(before)} → {shown(after)}
                </Text>
              ))}
            </Stack>
          )}
        </li>
      ))}
    </ul>
  );
}
