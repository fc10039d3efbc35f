import {
  Autocomplete,
  Button,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { rejectionHandlerBody, type RejectionHandler } from '#lib/contracts';
import { templateVariables } from '#lib/domain';
import { useRef } from 'react';
import { useNavigate } from 'react-router';
import { rejectionHandlers } from '../../api/rejection-handlers.js';
import { Conflict } from '../../parts/conflict.js';
import { Fields } from '../../parts/fields.js';
import { FormFooter } from '../../parts/form-footer.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { Section } from '../../parts/section.js';
import { useAdminForm } from '../../parts/use-admin-form.js';
import { useMayWrite } from '../../shell/session.js';
import { handlerBodyOf, handlerField, handlerValuesOf, type HandlerValues } from './handler-values.js';
import { ResponsePreview } from './response-preview.js';

const listPath = '/access/rejection-handlers';
const labels: Readonly<Record<string, string>> = {
  name: 'Name',
  type: 'Type',
  status: 'Response Code',
  contentType: 'Content Type',
  template: 'Template',
  url: 'URL',
};

export interface HandlerFormProps {
  /** Null: a new one. */
  readonly handler: RejectionHandler | null;
  readonly values: HandlerValues;
}

/** The form of a rejection handler, and beside it what the caller gets. */
export function HandlerForm({ handler, values }: HandlerFormProps) {
  const form = useForm<HandlerValues>({ mode: 'controlled', initialValues: values });
  const template = useRef<HTMLTextAreaElement>(null);
  const navigate = useNavigate();
  const admin = useAdminForm({
    form,
    stored: handler,
    resource: rejectionHandlers,
    schema: rejectionHandlerBody,
    valuesOf: handlerValuesOf,
    bodyOf: handlerBodyOf,
    fieldOf: handlerField(form.getValues()),
    onCreated: () => void navigate(listPath),
  });
  const readOnly = !useMayWrite() || handler?.predefined === true;
  const { type } = form.getValues();

  /** Puts a variable where the cursor is. */
  const insert = (variable: string): void => {
    const area = template.current;
    const text = form.getValues().template;
    const [start, end] = area ? [area.selectionStart, area.selectionEnd] : [text.length, text.length];
    form.setFieldValue('template', `${text.slice(0, start)}{{${variable}}}${text.slice(end)}`);
    requestAnimationFrame(() => {
      area?.focus();
      area?.setSelectionRange(start + variable.length + 4, start + variable.length + 4);
    });
  };

  return (
    <form noValidate aria-label="Rejection handler" onSubmit={admin.submit}>
      {admin.guard}
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md" style={{ alignItems: 'start' }}>
        <Stack gap="md">
          {admin.problem && <ProblemAlert {...admin.problem} />}
          <Fields readOnly={readOnly}>
            <Section title="Rejection handler">
              <TextInput label="Name" withAsterisk maxLength={64} readOnly={readOnly} {...form.getInputProps('name')} />
              <Select
                label="Type"
                readOnly={readOnly}
                data={[
                  { value: 'error-template', label: 'Error Template' },
                  { value: 'redirect', label: 'Redirect' },
                ]}
                {...form.getInputProps('type')}
              />
              {type === 'redirect' ? (
                <>
                  <Select
                    label="Response Code"
                    readOnly={readOnly}
                    data={[
                      { value: '302', label: '302 Found' },
                      { value: '303', label: '303 See Other' },
                    ]}
                    {...form.getInputProps('redirectStatus')}
                  />
                  <TextInput
                    label="URL"
                    withAsterisk
                    description="An absolute https address, or a path on the application’s own site."
                    readOnly={readOnly}
                    {...form.getInputProps('url')}
                  />
                </>
              ) : (
                <>
                  <NumberInput
                    label="Response Code"
                    withAsterisk
                    description="400 to 599"
                    readOnly={readOnly}
                    {...form.getInputProps('status')}
                  />
                  <Autocomplete
                    label="Content Type"
                    withAsterisk
                    size="sm"
                    readOnly={readOnly}
                    data={[
                      'application/json',
                      'application/problem+json',
                      'text/html; charset=utf-8',
                      'text/plain; charset=utf-8',
                    ]}
                    {...form.getInputProps('contentType')}
                  />
                  <Textarea
                    ref={template}
                    label="Template"
                    description="Variables are escaped as the content type needs it; a template has no logic."
                    minRows={8}
                    maxRows={24}
                    readOnly={readOnly}
                    spellCheck={false}
                    styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.8rem' } }}
                    {...form.getInputProps('template')}
                  />
                  {!readOnly && (
                    <Group gap={6} role="group" aria-label="Insert a variable">
                      <Text fz="xs" c="dimmed">
                        Insert
                      </Text>
                      {templateVariables.map((variable) => (
                        <Button
                          key={variable}
                          size="compact-xs"
                          variant="default"
                          onClick={() => insert(variable)}
                          ff="monospace"
                        >
                          {variable}
                        </Button>
                      ))}
                    </Group>
                  )}
                </>
              )}
            </Section>
          </Fields>
          {!readOnly && (
            <FormFooter dirty={form.isDirty()} pending={admin.pending} onCancel={() => void navigate(listPath)} />
          )}
        </Stack>
        <Section title="What the caller gets">
          <ResponsePreview body={handlerBodyOf(form.getValues())} />
        </Section>
      </SimpleGrid>
      <Conflict
        {...admin.conflict}
        noun="rejection handler"
        labelOf={(member) => labels[member] ?? member}
        show={(_, value) => (typeof value === 'string' ? value : JSON.stringify(value ?? '—'))}
      />
    </form>
  );
}
