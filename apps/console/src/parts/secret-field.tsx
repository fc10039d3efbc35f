import { Button, Group, Input, PasswordInput, Text } from '@mantine/core';
import { useState } from 'react';
import { Moment } from './moment.js';

export interface SecretFieldProps {
  readonly label: string;
  readonly description?: string;
  /** When the stored secret was set; null: there is none. It never comes back from the service. */
  readonly setAt: string | null;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error?: React.ReactNode;
  readonly disabled?: boolean;
}

/** A secret that can be given and replaced, and is never shown. */
export function SecretField({ label, description, setAt, value, onChange, error, disabled }: SecretFieldProps) {
  const [replacing, setReplacing] = useState(false);
  const [shownAt, setShownAt] = useState(setAt);
  // What was typed is stored now.
  if (shownAt !== setAt) {
    setShownAt(setAt);
    setReplacing(false);
  }
  if (setAt !== null && !replacing && value === '') {
    return (
      <Input.Wrapper label={label} description={description} error={error} labelElement="div">
        <Group gap="sm" mt={4}>
          <Text fz="sm">
            Set, changed <Moment at={setAt} />
          </Text>
          {!disabled && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => setReplacing(true)}
              aria-label={`Replace ${label}`}
            >
              Replace
            </Button>
          )}
        </Group>
      </Input.Wrapper>
    );
  }
  return (
    <Group gap="xs" align="flex-end" wrap="nowrap">
      <PasswordInput
        label={label}
        description={description}
        error={error}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        autoComplete="new-password"
        withAsterisk={setAt === null}
        disabled={disabled}
        data-autofocus={replacing || undefined}
        autoFocus={replacing}
        visibilityToggleButtonProps={{ 'aria-label': `Show ${label}` }}
        style={{ flex: 1 }}
      />
      {replacing && (
        <Button
          variant="default"
          onClick={() => {
            onChange('');
            setReplacing(false);
          }}
        >
          Keep the old one
        </Button>
      )}
    </Group>
  );
}
