import type { TokenProvider } from '#lib/contracts';
import { StatusBadge, type Tone } from '../../parts/status-badge.js';

const states: Readonly<Record<TokenProvider['discovery']['state'], readonly [tone: Tone, words: string]>> = {
  'not-tried': ['quiet', 'Not tried yet'],
  ok: ['good', 'Discovered'],
  explicit: ['good', 'Metadata by hand'],
  failed: ['bad', 'Failed'],
};

/** What the last look at the provider found. */
export function DiscoveryState({ of }: { readonly of: TokenProvider['discovery'] }) {
  const [tone, words] = states[of.state];
  return <StatusBadge tone={tone}>{words}</StatusBadge>;
}
