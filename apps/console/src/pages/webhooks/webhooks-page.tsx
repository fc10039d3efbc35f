import { IconWebhook } from '@tabler/icons-react';
import { EmptyState } from '../../parts/empty-state.js';
import { PageHeader } from '../../parts/page-header.js';

export function WebhooksPage() {
  return (
    <>
      <PageHeader title="Webhooks" path={[{ label: 'Settings' }]} />
      <EmptyState icon={IconWebhook} title="Not here yet">
        Webhook endpoints will be administered on this page. Until then the <a href="/docs">API</a> does it.
      </EmptyState>
    </>
  );
}
