import type { KeyPair } from '#lib/contracts';
import { StatusBadge, type Tone } from '../../parts/status-badge.js';

const states: Readonly<Record<KeyPair['status'], readonly [tone: Tone, words: string]>> = {
  valid: ['good', 'Valid'],
  expiring: ['warning', 'Expiring'],
  expired: ['bad', 'Expired'],
  notYetValid: ['waiting', 'Not yet valid'],
};

/** How a certificate stands today. */
export function KeyPairStatus({ status }: { readonly status: KeyPair['status'] }) {
  const [tone, words] = states[status];
  return <StatusBadge tone={tone}>{words}</StatusBadge>;
}
