import { Radio, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { providerProfiles, tokenProviderBody, type TokenProvider } from '#lib/contracts';
import { useNavigate } from 'react-router';
import { tokenProviders } from '../../api/token-providers.js';
import { Conflict } from '../../parts/conflict.js';
import { Fields } from '../../parts/fields.js';
import { FileText } from '../../parts/file-text.js';
import { FormFooter } from '../../parts/form-footer.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { Section } from '../../parts/section.js';
import { useAdminForm } from '../../parts/use-admin-form.js';
import { useMayWrite } from '../../shell/session.js';
import { profileName } from './profile-names.js';
import { providerBodyOf, providerField, providerValuesOf, type ProviderValues } from './provider-values.js';

const listPath = '/settings/token-providers';
const monospace = { input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.78rem' } };
const labels: Readonly<Record<string, string>> = {
  name: 'Name',
  issuer: 'Issuer',
  profile: 'Profile',
  metadata: 'Metadata',
  trustedCertificates: 'Trusted Certificates',
};

export interface ProviderFormProps {
  /** Null: a new one. */
  readonly provider: TokenProvider | null;
  readonly values: ProviderValues;
}

/** The form of a token provider. */
export function ProviderForm({ provider, values }: ProviderFormProps) {
  const form = useForm<ProviderValues>({ mode: 'controlled', initialValues: values });
  const navigate = useNavigate();
  const mayWrite = useMayWrite();
  const readOnly = !mayWrite;
  const admin = useAdminForm({
    form,
    stored: provider,
    resource: tokenProviders,
    schema: tokenProviderBody,
    valuesOf: providerValuesOf,
    bodyOf: providerBodyOf,
    fieldOf: providerField,
    onCreated: ({ id }) => void navigate(`${listPath}/${id}`),
  });
  const { source } = form.getValues();
  return (
    <form noValidate aria-label="Token provider" onSubmit={admin.submit}>
      {admin.guard}
      <Fields readOnly={readOnly}>
        <Stack gap="md" maw={760}>
          {admin.problem && <ProblemAlert {...admin.problem} />}
          <Section title="Token provider">
            <TextInput label="Name" withAsterisk maxLength={64} readOnly={readOnly} {...form.getInputProps('name')} />
            <TextInput
              label="Issuer"
              withAsterisk
              type="url"
              placeholder="https://id.example.com"
              description="Exactly as the provider writes it; a trailing slash counts."
              readOnly={readOnly}
              {...form.getInputProps('issuer')}
            />
            <Select
              label="Profile"
              description="What is peculiar about providers of this kind is taken into account."
              readOnly={readOnly}
              data={providerProfiles.map((value) => ({ value, label: profileName(value) }))}
              {...form.getInputProps('profile')}
            />
            <Radio.Group label="Metadata" readOnly={readOnly} {...form.getInputProps('source')}>
              <Stack gap={8} mt={8}>
                <Radio
                  value="discovery"
                  label="From the discovery document of the issuer"
                  disabled={readOnly && source !== 'discovery'}
                />
                <Radio value="explicit" label="Written by hand" disabled={readOnly && source !== 'explicit'} />
              </Stack>
            </Radio.Group>
            {source === 'explicit' && (
              <Textarea
                label="Provider Metadata"
                withAsterisk
                description="A JSON object with the standard names, such as token_endpoint."
                minRows={6}
                maxRows={20}
                readOnly={readOnly}
                spellCheck={false}
                styles={monospace}
                {...form.getInputProps('metadata')}
              />
            )}
          </Section>
          <Section
            title="Trusted certificates"
            lead="Only for a provider whose certificate no public authority has issued. Empty: the authorities of the system."
          >
            <Textarea
              aria-label="Trusted Certificates"
              minRows={3}
              maxRows={12}
              placeholder={readOnly ? '' : '-----BEGIN CERTIFICATE-----'}
              readOnly={readOnly}
              spellCheck={false}
              styles={monospace}
              {...form.getInputProps('trustedCertificates')}
            />
            {mayWrite && (
              <div>
                <FileText
                  what="the certificates"
                  accept=".pem,.crt,.cer"
                  onText={(text) => form.setFieldValue('trustedCertificates', text)}
                />
              </div>
            )}
          </Section>
          {mayWrite && (
            <FormFooter dirty={form.isDirty()} pending={admin.pending} onCancel={() => void navigate(listPath)} />
          )}
        </Stack>
      </Fields>
      <Conflict
        {...admin.conflict}
        noun="token provider"
        labelOf={(member) => labels[member] ?? member}
        show={(_, value) => (typeof value === 'string' ? value : JSON.stringify(value ?? '—', null, 2))}
      />
    </form>
  );
}
