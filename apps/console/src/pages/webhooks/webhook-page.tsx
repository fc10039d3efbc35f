import { IconWebhook } from '@tabler/icons-react';
import { EmptyState } from '../../parts/empty-state.js';
import { PageHeader } from '../../parts/page-header.js';

export function WebhookPage() {
  return (
    <>
      <PageHeader title="Webhook endpoint" path={[{ label: 'Settings' }]} />
      <EmptyState icon={IconWebhook} title="Not here yet">
        One webhook endpoint and its deliveries will be on this page. Until then the <a href="/docs">API</a> does it.
      </EmptyState>
    </>
  );
}
