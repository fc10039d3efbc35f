import { IconActivity } from '@tabler/icons-react';
import { EmptyState } from '../../parts/empty-state.js';
import { PageHeader } from '../../parts/page-header.js';

export function TransactionPage() {
  return (
    <>
      <PageHeader title="Transaction" path={[{ label: 'Requests' }]} />
      <EmptyState icon={IconActivity} title="Not here yet">
        The timeline of one authorization request will be on this page. Until then the <a href="/docs">API</a> does it.
      </EmptyState>
    </>
  );
}
