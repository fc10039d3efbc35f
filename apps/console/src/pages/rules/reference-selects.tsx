import { Anchor, Select } from '@mantine/core';
import { Link } from 'react-router';
import { keyPairs } from '../../api/key-pairs.js';
import { rejectionHandlers } from '../../api/rejection-handlers.js';
import { tokenProviders } from '../../api/token-providers.js';
import type { RuleFormApi } from './rule-form-api.js';

interface ReferenceProps {
  readonly form: RuleFormApi;
  readonly readOnly: boolean;
}

const option = ({ id, name }: { readonly id: string; readonly name: string }) => ({ value: id, label: name });

/** Which provider asks the person. */
export function ProviderSelect({ form, readOnly }: ReferenceProps) {
  const { data = [], isSuccess } = tokenProviders.useList();
  return (
    <Select
      label="Token Provider"
      description={
        isSuccess && data.length === 0 ? (
          <>
            There is none yet:{' '}
            <Anchor underline="always" component={Link} to="/settings/token-providers/new" fz="xs">
              add a token provider
            </Anchor>{' '}
            first.
          </>
        ) : undefined
      }
      withAsterisk
      searchable
      readOnly={readOnly}
      data={data.map(option)}
      nothingFoundMessage="No such provider"
      {...form.getInputProps('tokenProviderId')}
    />
  );
}

/** Which certificate proves the client. */
export function KeyPairSelect({ form, readOnly }: ReferenceProps) {
  const { data = [], isSuccess } = keyPairs.useList();
  const none = isSuccess && data.length === 0;
  return (
    <Select
      label="Key Pair"
      description={
        none ? (
          <>
            There is none yet:{' '}
            <Anchor underline="always" component={Link} to="/security/key-pairs?add=import" fz="xs">
              import or generate one
            </Anchor>
            .
          </>
        ) : undefined
      }
      withAsterisk
      searchable
      readOnly={readOnly}
      data={data.map(({ id, alias }) => ({ value: id, label: alias }))}
      nothingFoundMessage="No such key pair"
      {...form.getInputProps('keyPairId')}
    />
  );
}

export interface HandlerSelectProps extends ReferenceProps {
  readonly label: string;
  readonly field: 'timeoutRejectionHandlerId' | 'denyRejectionHandlerId' | 'errorRejectionHandlerId';
}

/** What the caller's user gets. */
export function HandlerSelect({ form, readOnly, label, field }: HandlerSelectProps) {
  const { data = [] } = rejectionHandlers.useList();
  return (
    <Select
      label={label}
      searchable
      readOnly={readOnly}
      data={[{ value: '', label: 'As given: Default API Rejection Handler' }, ...data.map(option)]}
      nothingFoundMessage="No such rejection handler"
      {...form.getInputProps(field)}
    />
  );
}
