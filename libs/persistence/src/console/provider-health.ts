import type { Overview } from '#lib/contracts';

/** What the figures of one provider amount to: a client that is refused is worse than requests that fail. */
export function providerHealth({
  asked,
  failed,
  refusedRules,
}: Pick<Overview['providers'][number], 'asked' | 'failed' | 'refusedRules'>): Overview['providers'][number]['health'] {
  if (refusedRules.length > 0) return 'refused';
  if (asked === 0) return 'unused';
  return failed * 2 >= asked ? 'failing' : 'good';
}
