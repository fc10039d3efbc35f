import { Alert, Button, Group, Modal, SegmentedControl, Stack, Text } from '@mantine/core';
import { IconArrowsSplit2 } from '@tabler/icons-react';
import { useState } from 'react';
import classes from './conflict.module.css';
import { Moment } from './moment.js';
import { StatusBadge } from './status-badge.js';
import { differencesOf } from './three-versions.js';

type Members = Readonly<Record<string, unknown>>;

export interface ConflictProps<Body extends Members> {
  /** Whose change came first, with what it was made of; null: nobody's. */
  readonly conflict: {
    readonly base: Body;
    readonly mine: Body;
    readonly theirs: Body;
    readonly version: number;
    readonly changedAt: string;
  } | null;
  readonly noun: string;
  /** What a member is called in the form. */
  readonly labelOf: (member: string) => string;
  /** A member's value for reading; nothing secret. */
  readonly show: (member: string, value: unknown) => string;
  readonly onClose: () => void;
  /** Takes what was put together, and saves it over the newer version. */
  readonly onResolve: (body: Body, version: number) => void;
}

/** Somebody has saved in the meantime: shows both versions and puts one together, member by member. */
export function Conflict<Body extends Members>(props: ConflictProps<Body>) {
  const { conflict, noun, onClose } = props;
  return (
    <Modal
      opened={conflict !== null}
      onClose={onClose}
      title={`Somebody else has changed this ${noun}`}
      size="xl"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {conflict && <Choice {...props} conflict={conflict} />}
    </Modal>
  );
}

function Choice<Body extends Members>({
  conflict,
  labelOf,
  show,
  onClose,
  onResolve,
}: ConflictProps<Body> & { readonly conflict: NonNullable<ConflictProps<Body>['conflict']> }) {
  const { base, mine, theirs, version, changedAt } = conflict;
  const differences = differencesOf(base, mine, theirs);
  const [kept, setKept] = useState(
    () => new Map(differences.map(({ member, kept }) => [member, kept] as [string, 'mine' | 'theirs'])),
  );
  const resolve = (): void => {
    const body: Record<string, unknown> = { ...theirs };
    for (const { member } of differences) {
      const value = kept.get(member) === 'mine' ? mine[member] : theirs[member];
      if (value === undefined) delete body[member];
      else body[member] = value;
    }
    onResolve(body as Body, version);
  };
  return (
    <Stack gap="md">
      <Alert color="yellow" icon={<IconArrowsSplit2 size={18} aria-hidden />}>
        Version {version} was saved <Moment at={changedAt} />, after you began. Nothing of yours is lost: choose what
        each member is to be.
      </Alert>
      {differences.length === 0 && <Text fz="sm">Both of you have made the same change.</Text>}
      {differences.map(({ member, conflict: both }) => (
        <section key={member} aria-label={labelOf(member)}>
          <Group justify="space-between" mb={6}>
            <Group gap="xs">
              <Text fw={600} fz="sm">
                {labelOf(member)}
              </Text>
              {both && <StatusBadge tone="warning">changed by both</StatusBadge>}
            </Group>
            <SegmentedControl
              size="xs"
              aria-label={`${labelOf(member)}: whose`}
              value={kept.get(member)}
              onChange={(value) => setKept(new Map(kept).set(member, value))}
              data={[
                { value: 'theirs', label: 'Theirs' },
                { value: 'mine', label: 'Mine' },
              ]}
            />
          </Group>
          <div className={classes.both}>
            {(['theirs', 'mine'] as const).map((side) => (
              <div key={side} className={classes.side} data-kept={kept.get(member) === side}>
                <Text fz="xs" c="dimmed">
                  {side === 'theirs' ? `Version ${version}` : 'Yours'}
                </Text>
                <pre>{show(member, side === 'theirs' ? theirs[member] : mine[member])}</pre>
              </div>
            ))}
          </div>
        </section>
      ))}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          Back to the form
        </Button>
        <Button onClick={resolve}>Save over version {version}</Button>
      </Group>
    </Stack>
  );
}
