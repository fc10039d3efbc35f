import { Alert, Anchor, Button, Checkbox, FileInput, Group, Stack } from '@mantine/core';
import { IconCircleCheck, IconFileImport } from '@tabler/icons-react';
import { relevantSections, type PingAccessImport } from '#lib/contracts';
import { useState } from 'react';
import { Link } from 'react-router';
import { useImportPingAccess } from '../../api/configuration.js';
import { Confirm } from '../../parts/confirm.js';
import { counted } from '../../parts/counted.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { Section } from '../../parts/section.js';
import { ChangeList } from './change-list.js';
import { ImportTable, type AskedFor } from './import-table.js';

type Inputs = Readonly<Record<string, string>>;
type Exported = ReturnType<typeof relevantSections>;

const given = (inputs: Inputs): Record<string, string> =>
  Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== ''));

/** Comes here from PingAccess: read the export, see what becomes of it, give what it does not tell, import. */
export function PingAccessWizard() {
  const [file, setFile] = useState<File | null>(null);
  const [mistake, setMistake] = useState<string | null>(null);
  const [exported, setExported] = useState<Exported | null>(null);
  const [inputs, setInputs] = useState<Inputs>({});
  const [asked, setAsked] = useState<AskedFor>({});
  const [leaveOut, setLeaveOut] = useState(false);
  const [looked, setLooked] = useState<PingAccessImport | null>(null);
  const [asking, setAsking] = useState(false);
  const attempt = useImportPingAccess();
  const real = useImportPingAccess();

  const bodyOf = ({ data }: Exported, dryRun: boolean, incomplete = leaveOut, typed = inputs) => ({
    export: { data },
    inputs: given(typed),
    incomplete: incomplete ? ('leave-out' as const) : ('refuse' as const),
    dryRun,
  });
  const look = (what: Exported, incomplete = leaveOut, typed = inputs): void =>
    attempt.mutate(bodyOf(what, true, incomplete, typed), {
      onSuccess: (found) => {
        setLooked(found);
        // What was asked for once can be corrected, although it is no longer missing.
        setAsked((before) => ({
          ...before,
          ...Object.fromEntries(
            found.items.filter(({ needs }) => needs.length > 0).map((one) => [one.source, one.needs]),
          ),
        }));
      },
    });
  const read = async (chosen: File | null): Promise<void> => {
    setFile(chosen);
    setMistake(null);
    setExported(null);
    setLooked(null);
    setAsked({});
    // The places of one export are not those of another.
    setInputs({});
    attempt.reset();
    real.reset();
    if (chosen === null) return;
    try {
      // What is not for Assent, and the keys of administrators least of all, leaves this browser never.
      const relevant = relevantSections(JSON.parse(await chosen.text()));
      setExported(relevant);
      look(relevant, leaveOut, {});
    } catch {
      setMistake('This file is not JSON. Take the export of PingAccess as it is, pa-data-….json.');
    }
  };

  if (real.data) return <Imported result={real.data} />;
  const made = looked?.result?.changes.length ?? 0;
  return (
    <Stack gap="md">
      <Section
        title="1 · The export"
        lead="PingAccess › Settings › System › Configuration Export. Secrets in it are encrypted by PingAccess and cannot be read; what is not for Assent does not leave this browser."
      >
        <FileInput
          label="Export of PingAccess"
          size="sm"
          maw={480}
          accept=".json,application/json"
          placeholder="Choose pa-data-….json"
          value={file}
          onChange={(chosen) => void read(chosen)}
          error={mistake}
          clearable
          clearButtonProps={{ 'aria-label': 'Take another file' }}
        />
      </Section>
      {looked && exported && (
        <Section title="2 · What becomes of it" lead={summaryOf(looked, exported)}>
          <ImportTable
            items={looked.items}
            asked={asked}
            inputs={inputs}
            onInput={(key, value) => setInputs({ ...inputs, [key]: value })}
          />
          <Checkbox
            label="Leave out what is incomplete"
            description="The rest is imported; nothing comes without what it refers to."
            checked={leaveOut}
            onChange={(event) => {
              setLeaveOut(event.currentTarget.checked);
              look(exported, event.currentTarget.checked);
            }}
          />
        </Section>
      )}
      {attempt.error && <ProblemAlert error={attempt.error} />}
      {exported && (
        <Group gap="xs" justify="flex-end">
          <Button
            variant={made === 0 ? 'filled' : 'default'}
            loading={attempt.isPending}
            onClick={() => look(exported)}
          >
            Check again
          </Button>
          <Button
            leftSection={<IconFileImport size={16} aria-hidden />}
            disabled={made === 0}
            onClick={() => setAsking(true)}
          >
            Import
          </Button>
        </Group>
      )}
      <Confirm
        opened={asking}
        onClose={() => {
          real.reset();
          setAsking(false);
        }}
        title="Import from PingAccess?"
        action={`Import ${counted(made, 'object')}`}
        harmless
        pending={real.isPending}
        error={real.error}
        onConfirm={() => {
          if (exported) real.mutate(bodyOf(exported, false), { onSuccess: () => setAsking(false) });
        }}
      >
        All of it is made in one step, or nothing is. What is there already stays as it is.
      </Confirm>
    </Stack>
  );
}

function summaryOf({ items, ignored }: PingAccessImport, exported: Exported): string {
  const count = (outcome: string): number => items.filter((item) => item.outcome === outcome).length;
  const others = [...ignored, ...exported.ignored].map(({ section, objects }) => `${section} (${objects})`);
  return [
    `Will be made: ${count('create')}. There already: ${count('exists')}. Skipped: ${count('skip')}. In need of input: ${count('needs-input')}.`,
    ...(others.length === 0 ? [] : [`Not for Assent: ${others.join(', ')}.`]),
  ].join(' ');
}

function Imported({ result }: { readonly result: PingAccessImport }) {
  const changes = result.result?.changes ?? [];
  return (
    <Section title="Imported">
      <Alert
        color="teal"
        role="status"
        icon={<IconCircleCheck size={18} aria-hidden />}
        title={`Made: ${counted(changes.length, 'object')}`}
      >
        Have the doctor look at the{' '}
        <Anchor component={Link} to="/settings/token-providers" inherit underline="always">
          token provider
        </Anchor>
        , then{' '}
        <Anchor component={Link} to="/test-rule" inherit underline="always">
          test the rules
        </Anchor>
        .
      </Alert>
      <ChangeList changes={changes} />
    </Section>
  );
}
