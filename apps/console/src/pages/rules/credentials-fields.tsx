import { Alert, Anchor, Radio, Select, Stack } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import type { Rule } from '#lib/contracts';
import { clientSecretMethods } from '#lib/domain';
import { Copyable } from '../../parts/copy-button.js';
import { SecretField } from '../../parts/secret-field.js';
import { Link } from 'react-router';
import { KeyPairSelect } from './reference-selects.js';
import { fieldsOf, type RulePartProps } from './rule-form-api.js';
import { credentialsNames } from './rule-words.js';

export interface CredentialsFieldsProps extends RulePartProps {
  readonly stored: Rule | null;
}

const asTheProviderSays = { value: '', label: 'As the provider’s metadata says' };

/** How Assent proves to the provider that it is this client; each type with what it needs. */
export function CredentialsFields({ form, stored, readOnly }: CredentialsFieldsProps) {
  const { credentialsType } = form.getValues();
  const { field } = fieldsOf({ form, readOnly });
  const setAt = stored?.clientCredentials.type === 'secret' ? stored.clientCredentials.clientSecretSetAt : null;
  return (
    <>
      <Radio.Group
        label="Client Credentials Type"
        withAsterisk
        readOnly={readOnly}
        {...form.getInputProps('credentialsType')}
      >
        <Stack gap={8} mt={8}>
          {Object.entries(credentialsNames).map(([value, label]) => (
            <Radio key={value} value={value} label={label} disabled={readOnly && value !== credentialsType} />
          ))}
        </Stack>
      </Radio.Group>
      {credentialsType === 'secret' && (
        <>
          <SecretField
            label="Client Secret"
            setAt={setAt}
            value={form.getValues().clientSecret}
            onChange={(value) => form.setFieldValue('clientSecret', value)}
            error={form.errors['clientSecret']}
            disabled={readOnly}
          />
          <Select label="Method" data={[asTheProviderSays, ...clientSecretMethods]} {...field('secretMethod')} />
        </>
      )}
      {credentialsType === 'mutual-tls' && (
        <>
          <KeyPairSelect form={form} readOnly={readOnly} />
          <Select
            label="Method"
            data={[asTheProviderSays, 'tls_client_auth', 'self_signed_tls_client_auth']}
            {...field('tlsMethod')}
          />
        </>
      )}
      {credentialsType === 'private-key-jwt' && (
        <Alert icon={<IconInfoCircle size={18} aria-hidden />} color="gray">
          Nothing to enter: Assent signs with{' '}
          <Anchor underline="always" component={Link} to="/security/signing-keys" fz="sm">
            its own key
          </Anchor>
          . Give the provider this address as the client’s <code>jwks_uri</code>:{' '}
          <Copyable value={`${location.origin}/.well-known/jwks.json`} what="the address" />
        </Alert>
      )}
    </>
  );
}
