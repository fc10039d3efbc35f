import { ActionIcon, Button, Group, Input, Stack, TextInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useRef } from 'react';
import type { RuleFormApi } from './rule-form-api.js';

export interface ScopesFieldProps {
  readonly form: RuleFormApi;
  readonly readOnly: boolean;
}

/** Scopes, one in each line; `openid` is always sent and cannot be taken away. */
export function ScopesField({ form, readOnly }: ScopesFieldProps) {
  const list = useRef<HTMLDivElement>(null);
  const { scopes } = form.getValues();
  const add = (): void => {
    form.insertListItem('scopes', '');
    requestAnimationFrame(() => [...(list.current?.querySelectorAll('input') ?? [])].at(-1)?.focus());
  };
  return (
    <Input.Wrapper
      label="Scopes"
      description="openid is always added."
      labelElement="div"
      error={form.errors['scopes']}
      role="group"
      aria-label="Scopes"
    >
      <Stack gap={6} mt={6} ref={list}>
        <TextInput aria-label="Given scope" value="openid" readOnly variant="filled" maw={readOnly ? 400 : 366} />
        {scopes.map((scope, index) => (
          <Group key={index} gap={6} wrap="nowrap" maw={400}>
            <TextInput
              aria-label={`Scope ${index + 1}`}
              value={scope}
              readOnly={readOnly}
              error={form.errors['scopes'] !== undefined}
              onChange={(event) => form.setFieldValue(`scopes.${index}`, event.currentTarget.value.trim())}
              style={{ flex: 1 }}
            />
            {!readOnly && (
              <ActionIcon
                variant="subtle"
                color="gray"
                onClick={() => form.removeListItem('scopes', index)}
                aria-label={scope === '' ? `Remove scope ${index + 1}` : `Remove ${scope}`}
              >
                <IconX size={16} />
              </ActionIcon>
            )}
          </Group>
        ))}
        {!readOnly && (
          <Group>
            <Button size="compact-sm" variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={add}>
              New Value
            </Button>
          </Group>
        )}
      </Stack>
    </Input.Wrapper>
  );
}
