import { IconActivity } from '@tabler/icons-react';
import { EmptyState } from '../../parts/empty-state.js';
import { PageHeader } from '../../parts/page-header.js';

export function TransactionsPage() {
  return (
    <>
      <PageHeader title="Transactions" path={[{ label: 'Requests' }]} />
      <EmptyState icon={IconActivity} title="Not here yet">
        A live list of authorization requests will be on this page. Until then the <a href="/docs">API</a> does it.
      </EmptyState>
    </>
  );
}
