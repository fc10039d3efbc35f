import { Alert, Button, Checkbox, Group, Text, Textarea } from '@mantine/core';
import { IconArrowsDiff, IconCircleCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useApply, useDiff, type ApplyInput } from '../../api/configuration.js';
import { Confirm } from '../../parts/confirm.js';
import { counted } from '../../parts/counted.js';
import { tellDone } from '../../parts/done.js';
import { FileText } from '../../parts/file-text.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { Section } from '../../parts/section.js';
import { ShownOnce, type ShownOnceProps } from '../../parts/shown-once.js';
import { ChangeList } from './change-list.js';
import { readConfiguration } from './configuration-text.js';

/** Compares a configuration with what there is, and makes everything as it says. */
export function ApplyConfiguration() {
  const [text, setText] = useState('');
  const [prune, setPrune] = useState(false);
  const [mistake, setMistake] = useState<string | null>(null);
  const [compared, setCompared] = useState<ApplyInput | null>(null);
  const [asking, setAsking] = useState(false);
  const [secrets, setSecrets] = useState<ShownOnceProps['secrets']>(null);
  const diff = useDiff();
  const apply = useApply();

  const change = (next: string): void => {
    setText(next);
    setMistake(null);
    setCompared(null);
    diff.reset();
    apply.reset();
  };
  const compare = (): void => {
    const read = readConfiguration(text);
    if ('mistake' in read) {
      setMistake(read.mistake);
      return;
    }
    const body = { configuration: read.document as ApplyInput['configuration'], prune };
    diff.mutate(body, { onSuccess: () => setCompared(body) });
  };
  const applyNow = (): void => {
    if (compared === null) return;
    apply.mutate(compared, {
      onSuccess: (result) => {
        setAsking(false);
        tellDone('The configuration is applied.');
        setCompared(null);
        diff.reset();
        const made = result.secrets.map(({ name, member, value }) => ({ label: `${name}: ${member}`, value }));
        if (made.length > 0) setSecrets(made);
      },
    });
  };

  return (
    <Section
      title="Apply"
      lead="A configuration as it is exported here, with the secrets left out or written in. All of it is applied, or nothing is."
    >
      <Textarea
        label="Configuration (YAML or JSON)"
        value={text}
        onChange={(event) => change(event.currentTarget.value)}
        error={mistake}
        minRows={6}
        maxRows={18}
        spellCheck={false}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.78rem' } }}
      />
      <Group justify="space-between">
        <FileText what="the configuration" accept=".yaml,.yml,.json" onText={change} />
        <Checkbox
          label="Delete what it does not name"
          checked={prune}
          onChange={(event) => {
            setPrune(event.currentTarget.checked);
            setCompared(null);
            diff.reset();
          }}
        />
      </Group>
      {diff.error && <ProblemAlert error={diff.error} />}
      {diff.data && (
        <div aria-live="polite">
          {diff.data.changes.length === 0 ? (
            <Alert icon={<IconCircleCheck size={18} aria-hidden />} title="Nothing to do">
              Everything is as this configuration says.
            </Alert>
          ) : (
            <>
              <Text fz="sm" c="dimmed">
                {counted(diff.data.changes.length, 'object')} to change, {diff.data.unchanged} as they should be.
              </Text>
              <ChangeList changes={diff.data.changes} />
            </>
          )}
        </div>
      )}
      <Group gap="xs">
        <Button
          variant={compared ? 'default' : 'filled'}
          leftSection={<IconArrowsDiff size={16} aria-hidden />}
          loading={diff.isPending}
          disabled={text.trim() === ''}
          onClick={compare}
        >
          Compare
        </Button>
        {compared && diff.data && diff.data.changes.length > 0 && (
          <Button onClick={() => setAsking(true)}>Apply {counted(diff.data.changes.length, 'change')}</Button>
        )}
      </Group>
      <Confirm
        opened={asking}
        onClose={() => {
          apply.reset();
          setAsking(false);
        }}
        title="Apply this configuration?"
        action="Apply"
        harmless={diff.data?.changes.every(({ action }) => action !== 'delete') ?? true}
        pending={apply.isPending}
        error={apply.error}
        onConfirm={applyNow}
      >
        {counted(diff.data?.changes.length ?? 0, 'object')} will be created, changed or deleted, in one step.
      </Confirm>
      <ShownOnce title="Keys and secrets that were made" secrets={secrets} onClose={() => setSecrets(null)} />
    </Section>
  );
}
