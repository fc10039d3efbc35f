import { Button, SimpleGrid, Stack } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import type { TokenProvider } from '#lib/contracts';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { tokenProviders } from '../../api/token-providers.js';
import { Confirm } from '../../parts/confirm.js';
import { tellDone } from '../../parts/done.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { PageSkeleton } from '../../parts/page-skeleton.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { useMayWrite } from '../../shell/session.js';
import { DiscoveryState } from './discovery-state.js';
import { Doctor } from './doctor.js';
import { ProviderForm } from './provider-form.js';
import { newProviderValues, providerValuesOf } from './provider-values.js';

const listPath = '/settings/token-providers';
const path = [{ label: 'Settings' }, { label: 'Token Provider', to: listPath }];

/** Settings › Token Provider › one of them, or a new one. */
export function TokenProviderPage() {
  const { id = '' } = useParams();
  if (id !== 'new') return <StoredProvider key={id} id={id} />;
  return (
    <>
      <PageHeader
        title="Add Token Provider"
        path={path}
        lead="Saving calls nobody. Afterwards the doctor looks at the provider and tells what it finds."
      />
      <ProviderForm provider={null} values={newProviderValues} />
    </>
  );
}

function StoredProvider({ id }: { readonly id: string }) {
  const { data: provider, error, refetch } = tokenProviders.useOne(id);
  const mayWrite = useMayWrite();
  const [deleting, setDeleting] = useState(false);
  if (error) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  if (!provider) return <PageSkeleton />;
  return (
    <>
      <PageHeader
        title={provider.name}
        path={path}
        state={<DiscoveryState of={provider.discovery} />}
        lead={
          <>
            Version {provider.version}, changed <Moment at={provider.updatedAt} full />
          </>
        }
        actions={
          mayWrite && (
            <Button
              variant="default"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => setDeleting(true)}
            >
              Delete
            </Button>
          )
        }
      />
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
        <Stack gap="md">
          <ProviderForm provider={provider} values={providerValuesOf(provider)} />
        </Stack>
        <Doctor provider={provider} />
      </SimpleGrid>
      <DeleteProvider provider={provider} opened={deleting} onClose={() => setDeleting(false)} />
    </>
  );
}

interface DeleteProviderProps {
  readonly provider: TokenProvider;
  readonly opened: boolean;
  readonly onClose: () => void;
}

function DeleteProvider({ provider, opened, onClose }: DeleteProviderProps) {
  const remove = tokenProviders.useRemove();
  const navigate = useNavigate();
  return (
    <Confirm
      opened={opened}
      onClose={() => {
        remove.reset();
        onClose();
      }}
      title="Delete this token provider?"
      action="Delete the token provider"
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() =>
        remove.mutate(provider, {
          onSuccess: () => {
            tellDone(`${provider.name} is deleted.`);
            void navigate(listPath);
          },
        })
      }
    >
      <b>{provider.name}</b> will be gone.
    </Confirm>
  );
}
