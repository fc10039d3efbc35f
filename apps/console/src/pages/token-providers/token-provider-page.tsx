import { SimpleGrid } from '@mantine/core';
import { useParams } from 'react-router';
import { tokenProviders } from '../../api/token-providers.js';
import { PageHeader } from '../../parts/page-header.js';
import { StoredPage } from '../../parts/stored-page.js';
import { DiscoveryState } from './discovery-state.js';
import { Doctor } from './doctor.js';
import { ProviderForm } from './provider-form.js';
import { newProviderValues, providerValuesOf } from './provider-values.js';

const listPath = '/settings/token-providers';
const path = [{ label: 'Settings' }, { label: 'Token Provider', to: listPath }];

/** Settings › Token Provider › one of them, or a new one. */
export function TokenProviderPage() {
  const { id = '' } = useParams();
  if (id === 'new') {
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
  return (
    <StoredPage
      key={id}
      id={id}
      resource={tokenProviders}
      noun="token provider"
      nameOf={({ name }) => name}
      path={path}
      listPath={listPath}
      head={({ discovery }) => ({ state: <DiscoveryState of={discovery} /> })}
    >
      {(provider) => (
        <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md" style={{ alignItems: 'start' }}>
          <ProviderForm provider={provider} values={providerValuesOf(provider)} />
          <Doctor provider={provider} />
        </SimpleGrid>
      )}
    </StoredPage>
  );
}
