import { Button, Group, Stack, Switch, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { ruleBody, type Rule } from '#lib/contracts';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { rules } from '../../api/rules.js';
import { Conflict } from '../../parts/conflict.js';
import { Fields } from '../../parts/fields.js';
import { FormFooter } from '../../parts/form-footer.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { Section } from '../../parts/section.js';
import { useAdminForm } from '../../parts/use-admin-form.js';
import { useMayWrite } from '../../shell/session.js';
import { AdvancedFields } from './advanced-fields.js';
import { CredentialsFields } from './credentials-fields.js';
import { ProviderSelect } from './reference-selects.js';
import { fieldsOf } from './rule-form-api.js';
import { bodyOf, fieldOfPointer, isAdvanced, saysAdvanced, valuesOf, type RuleValues } from './rule-values.js';
import { labelOfMember } from './rule-words.js';
import { ScopesField } from './scopes-field.js';

export interface RuleFormProps {
  /** Null: a new one. */
  readonly rule: Rule | null;
  readonly values: RuleValues;
}

/** The form of a rule, with the words and in the order of PingAccess. */
export function RuleForm({ rule, values }: RuleFormProps) {
  const form = useForm<RuleValues>({ mode: 'controlled', initialValues: values });
  const [advanced, setAdvanced] = useState(() => saysAdvanced(values));
  const navigate = useNavigate();
  const mayWrite = useMayWrite();
  const part = { form, readOnly: !mayWrite };
  const { field, toggle } = fieldsOf(part);
  const admin = useAdminForm({
    form,
    stored: rule,
    resource: rules,
    schema: ruleBody,
    valuesOf,
    bodyOf,
    fieldOf: fieldOfPointer,
    onMistakes: (fields) => {
      if (fields.some(isAdvanced)) setAdvanced(true);
    },
    onCreated: () => void navigate('/access/rules'),
  });

  return (
    <form noValidate aria-label="Rule" onSubmit={admin.submit}>
      {admin.guard}
      <Fields readOnly={!mayWrite}>
        <Stack gap="md" maw={760}>
          {admin.problem && <ProblemAlert {...admin.problem} />}
          <Section title="Rule">
            <TextInput label="Name" withAsterisk maxLength={64} {...field('name')} />
            <TextInput label="Type" value="One-Time Authorization" readOnly variant="filled" />
            <ProviderSelect {...part} />
          </Section>
          <Section title="Client" lead="The OAuth client at the token provider, with the CIBA grant.">
            <TextInput label="Client ID" withAsterisk {...field('clientId')} />
            <CredentialsFields {...part} stored={admin.base} />
          </Section>
          <Section title="Request">
            <TextInput
              label="Login Hint Request Attribute"
              description="The request attribute whose value names the person to the provider, for example email."
              withAsterisk
              {...field('loginHintAttribute')}
            />
            <ScopesField {...part} />
            <Textarea
              label="Binding Message"
              description="What the person reads on the phone. {{amount}} stands for the attribute amount of the request."
              {...field('bindingMessage')}
            />
            <Switch
              label="Enabled"
              description="A disabled rule takes no new requests; those that are pending go on."
              {...toggle('enabled')}
            />
          </Section>
          <Group>
            <Button
              variant="subtle"
              onClick={() => setAdvanced(!advanced)}
              aria-expanded={advanced}
              leftSection={
                advanced ? <IconChevronDown size={16} aria-hidden /> : <IconChevronRight size={16} aria-hidden />
              }
            >
              {advanced ? 'Hide Advanced' : 'Show Advanced'}
            </Button>
          </Group>
          {advanced && <AdvancedFields {...part} />}
          {mayWrite && (
            <FormFooter
              dirty={form.isDirty()}
              pending={admin.pending}
              onCancel={() => void navigate('/access/rules')}
            />
          )}
        </Stack>
      </Fields>
      <Conflict {...admin.conflict} noun="rule" labelOf={labelOfMember} show={showMember} />
    </form>
  );
}

function showMember(member: string, value: unknown): string {
  if (member === 'clientCredentials') {
    const { clientSecret, ...credentials } = value as { clientSecret?: string };
    return JSON.stringify(
      { ...credentials, ...(clientSecret !== undefined && { clientSecret: '(a new one)' }) },
      null,
      2,
    );
  }
  if (value === null || value === undefined) return '—';
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
