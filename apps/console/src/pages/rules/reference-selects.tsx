import { Anchor, Select } from '@mantine/core';
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { keyPairs } from '../../api/key-pairs.js';
import { rejectionHandlers } from '../../api/rejection-handlers.js';
import { tokenProviders } from '../../api/token-providers.js';
import { fieldsOf, type RulePartProps } from './rule-form-api.js';

const option = ({ id, name }: { readonly id: string; readonly name: string }) => ({ value: id, label: name });

interface ReferenceSelectProps extends RulePartProps {
  readonly label: string;
  readonly member: string;
  readonly choices: UseQueryResult<ReadonlyArray<{ readonly value: string; readonly label: string }>>;
  /** What to do while there is none. */
  readonly first: { readonly words: string; readonly to: string };
}

/** One of the objects that the rule needs; when there is none, the way to the first. */
function ReferenceSelect({ label, member, choices: { data = [], isSuccess }, first, ...part }: ReferenceSelectProps) {
  const props = fieldsOf(part).field(member);
  const missing = props.value === '' && props.error !== undefined;
  return (
    <Select
      label={label}
      description={
        isSuccess && data.length === 0 ? (
          <>
            There is none yet:{' '}
            <Anchor underline="always" component={Link} to={first.to} fz="xs">
              {first.words}
            </Anchor>{' '}
            first.
          </>
        ) : undefined
      }
      withAsterisk
      searchable
      data={data}
      nothingFoundMessage="There is none of this name"
      {...props}
      error={missing ? 'Choose one.' : (props.error as ReactNode)}
    />
  );
}

/** Which provider asks the person. */
export function ProviderSelect(props: RulePartProps) {
  const choices = useQuery({ ...tokenProviders.list, select: (all) => all.map(option) });
  const first = { words: 'add a token provider', to: '/settings/token-providers/new' };
  return <ReferenceSelect {...props} label="Token Provider" member="tokenProviderId" choices={choices} first={first} />;
}

/** Which certificate proves the client. */
export function KeyPairSelect(props: RulePartProps) {
  const choices = useQuery({
    ...keyPairs.list,
    select: (all) => all.map(({ id, alias }) => option({ id, name: alias })),
  });
  const first = { words: 'import or generate one', to: '/security/key-pairs?add=import' };
  return <ReferenceSelect {...props} label="Key Pair" member="keyPairId" choices={choices} first={first} />;
}

export interface HandlerSelectProps extends RulePartProps {
  readonly label: string;
  readonly field: 'timeoutRejectionHandlerId' | 'denyRejectionHandlerId' | 'errorRejectionHandlerId';
}

/** What the caller's user gets. */
export function HandlerSelect({ label, field, ...part }: HandlerSelectProps) {
  const { data = [] } = rejectionHandlers.useList();
  return (
    <Select
      label={label}
      searchable
      data={[{ value: '', label: 'As given: Default API Rejection Handler' }, ...data.map(option)]}
      nothingFoundMessage="No such rejection handler"
      {...fieldsOf(part).field(field)}
    />
  );
}
