import { IconArrowsExchange } from '@tabler/icons-react';
import { EmptyState } from '../../parts/empty-state.js';
import { PageHeader } from '../../parts/page-header.js';

export function ImportExportPage() {
  return (
    <>
      <PageHeader title="Import/Export" path={[{ label: 'Settings' }]} />
      <EmptyState icon={IconArrowsExchange} title="Not here yet">
        Configuration will go in and out on this page. Until then the <a href="/docs">API</a> does it.
      </EmptyState>
    </>
  );
}
