import { ActionIcon, CopyButton as Clipboard, Group, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';

export interface CopyButtonProps {
  readonly value: string;
  /** What is copied: `the id`. */
  readonly what: string;
}

/** Puts a value on the clipboard. */
export function CopyButton({ value, what }: CopyButtonProps) {
  return (
    <Clipboard value={value} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : `Copy ${what}`}>
          <ActionIcon
            variant="subtle"
            color={copied ? 'teal' : 'gray'}
            size="sm"
            onClick={copy}
            aria-label={`Copy ${what}`}
          >
            {copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
          </ActionIcon>
        </Tooltip>
      )}
    </Clipboard>
  );
}

/** A value in a fixed-width face that can be copied. */
export function Copyable({ value, what }: CopyButtonProps) {
  return (
    <Group gap={4} wrap="nowrap" align="center" display="inline-flex" maw="100%">
      <code>{value}</code>
      <CopyButton value={value} what={what} />
    </Group>
  );
}
