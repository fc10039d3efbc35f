import { IconFlask2 } from '@tabler/icons-react';
import { EmptyState } from '../../parts/empty-state.js';
import { PageHeader } from '../../parts/page-header.js';

export function TestRulePage() {
  return (
    <>
      <PageHeader title="Test Rule" path={[{ label: 'Requests' }]} />
      <EmptyState icon={IconFlask2} title="Not here yet">
        Rules will be tried out on this page. Until then the <a href="/docs">API</a> does it.
      </EmptyState>
    </>
  );
}
