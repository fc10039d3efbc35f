import type { AuthorizationRequestDocument } from '#lib/contracts';
import { StatusBadge, type Tone } from './status-badge.js';

type Status = AuthorizationRequestDocument['status'];

const words: Readonly<Record<Status, readonly [Tone, string]>> = {
  requested: ['waiting', 'Requested'],
  pending: ['waiting', 'Pending'],
  approved: ['good', 'Approved'],
  denied: ['bad', 'Denied'],
  expired: ['warning', 'Expired'],
  cancelled: ['quiet', 'Cancelled'],
  failed: ['bad', 'Failed'],
};

/** How a request stands. */
export function RequestStatus({ status }: { readonly status: Status }) {
  const [tone, word] = words[status];
  return <StatusBadge tone={tone}>{word}</StatusBadge>;
}
