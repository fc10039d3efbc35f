import type { WebhookEndpoint } from '#lib/contracts';
import { StatusBadge } from '../../parts/status-badge.js';

/** Whether an endpoint gets what it is to be told. */
export function EndpointState({
  endpoint: { enabled, disabledReason, failingSince },
}: {
  readonly endpoint: Pick<WebhookEndpoint, 'enabled' | 'disabledReason' | 'failingSince'>;
}) {
  if (disabledReason === 'gone') return <StatusBadge tone="bad">Gone</StatusBadge>;
  if (disabledReason === 'failing') return <StatusBadge tone="bad">Given up</StatusBadge>;
  if (!enabled) return <StatusBadge tone="quiet">Disabled</StatusBadge>;
  if (failingSince !== null) return <StatusBadge tone="warning">Failing</StatusBadge>;
  return <StatusBadge tone="good">Works</StatusBadge>;
}
