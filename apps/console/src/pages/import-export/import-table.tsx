import { PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import type { PingAccessImportItem } from '#lib/contracts';
import { ListTable, type Column } from '../../parts/list-table.js';
import { StatusBadge, type Tone } from '../../parts/status-badge.js';
import { nounOf } from './nouns.js';

const outcomes: Readonly<Record<PingAccessImportItem['outcome'], readonly [tone: Tone, words: string]>> = {
  create: ['good', 'Will be made'],
  exists: ['quiet', 'Is there already'],
  skip: ['quiet', 'Skipped'],
  'needs-input': ['warning', 'Needs input'],
};

/** What was asked for, by the place of the object in the export. */
export type AskedFor = Readonly<Record<string, PingAccessImportItem['needs']>>;

export interface ImportTableProps {
  readonly items: readonly PingAccessImportItem[];
  readonly asked: AskedFor;
  readonly inputs: Readonly<Record<string, string>>;
  readonly onInput: (key: string, value: string) => void;
}

/** Each object of an export, what becomes of it, and fields for what the export does not tell. */
export function ImportTable({ items, asked, inputs, onInput }: ImportTableProps) {
  const columns: ReadonlyArray<Column<PingAccessImportItem>> = [
    {
      title: 'Object',
      cell: ({ name, kind }) => (
        <div>
          <Text fz="sm" fw={600}>
            {name}
          </Text>
          <Text fz="xs" c="dimmed">
            {nounOf(kind)}
          </Text>
        </div>
      ),
    },
    {
      title: 'What becomes of it',
      cell: ({ outcome }) => <StatusBadge tone={outcomes[outcome][0]}>{outcomes[outcome][1]}</StatusBadge>,
    },
    {
      title: 'To know',
      wide: true,
      cell: ({ source, name, notes }) => (
        <Stack gap={6}>
          {notes.map((note) => (
            <Text key={note} fz="sm">
              {note}
            </Text>
          ))}
          {(asked[source] ?? []).map(({ key, what }) => {
            const Field = isSecret(key) ? PasswordInput : TextInput;
            return (
              <Field
                key={key}
                label={what}
                aria-label={`${name}: ${what}`}
                value={inputs[key] ?? ''}
                onChange={(event) => onInput(key, event.currentTarget.value)}
                autoComplete="off"
                maw={420}
                {...(isSecret(key) && {
                  visibilityToggleButtonProps: { 'aria-label': `Show what is given for ${name}` },
                })}
              />
            );
          })}
          {notes.length === 0 && asked[source] === undefined && '—'}
        </Stack>
      ),
    },
  ];
  return (
    <ListTable
      label="Objects of the export"
      columns={columns}
      items={items}
      keyOf={({ source }) => source}
      none="The export has nothing for Assent."
    />
  );
}

/** Whether what is asked for under this key is nobody else's business. */
const isSecret = (key: string): boolean => /\/(clientSecret|password|pkcs12)$/.test(key);
