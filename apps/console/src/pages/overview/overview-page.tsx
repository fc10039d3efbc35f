import { IconLayoutDashboard } from '@tabler/icons-react';
import { EmptyState } from '../../parts/empty-state.js';
import { PageHeader } from '../../parts/page-header.js';

export function OverviewPage() {
  return (
    <>
      <PageHeader title="Overview" path={[{ label: 'Requests' }]} />
      <EmptyState icon={IconLayoutDashboard} title="Not here yet">
        Outcomes, approval times and what needs attention will be on this page. Until then the <a href="/docs">API</a>{' '}
        does it.
      </EmptyState>
    </>
  );
}
