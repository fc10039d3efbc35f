import { IconHistory } from '@tabler/icons-react';
import { EmptyState } from '../../parts/empty-state.js';
import { PageHeader } from '../../parts/page-header.js';

export function AuditLogPage() {
  return (
    <>
      <PageHeader title="Audit Log" path={[{ label: 'Settings' }]} />
      <EmptyState icon={IconHistory} title="Not here yet">
        Who has done what will be on this page. Until then the <a href="/docs">API</a> does it.
      </EmptyState>
    </>
  );
}
