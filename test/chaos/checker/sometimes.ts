import type { History } from './history.js';

/** The rare paths that a run has to have taken: a run that never met them proves little. */
export const sometimesInFull = [
  'lease-stolen',
  'fenced-out-commit',
  'commit-reply-lost-resolved',
  'confirm-lost-duplicate',
  'basic-return',
  'blocked-connection',
  'late-approval-after-cancel',
  'outcome-unknown',
  'slow-down-3',
  'duplicate-ping',
  'retry-after-429',
  'dead-letter-redriven',
  'key-rotation-mid-flight',
] as const;

/** Those that fit into a minute. */
export const sometimesInShort: readonly string[] = [
  'lease-stolen',
  'commit-reply-lost-resolved',
  'late-approval-after-cancel',
  'outcome-unknown',
  'duplicate-ping',
  'retry-after-429',
];

/** How often each happened, by the ledgers where they show it and by the run's own count elsewhere; and which is missing. */
export function judgeSometimes(history: History): {
  readonly counts: Record<string, number>;
  readonly missing: string[];
} {
  const counted: Record<string, number> = { ...history.recorded.sometimes, ...byLedger(history) };
  const counts = Object.fromEntries(
    [...new Set([...sometimesInFull, ...Object.keys(counted)])].map((name) => [name, counted[name] ?? 0]),
  );
  const demanded = modeOf(history) === 'short' ? sometimesInShort : sometimesInFull;
  return { counts, missing: demanded.filter((name) => !counts[name]) };
}

/** Below this many requests a run is short, unless it says what it is. */
const fewestInFull = 5_000;

export const modeOf = ({ run }: History): 'full' | 'short' =>
  run.mode ?? (run.requests >= fewestInFull ? 'full' : 'short');

function byLedger({ requests, grants, starts, webhooks }: History): Record<string, number> {
  const rows = [...requests.values()];
  const ledger = [...grants.values()];
  const refusedForNow = starts.filter(({ error, retryAfterSeconds }) => error === '429' && retryAfterSeconds != null);
  const refusedDeliveries = webhooks.filter(({ answered }) => answered === 429);
  const throttledPolls = ledger.filter(({ tokens }) =>
    tokens.some(
      ({ error, retryAfterSeconds }, index) =>
        error === '429' && retryAfterSeconds != null && index < tokens.length - 1,
    ),
  );
  return {
    'outcome-unknown': rows.filter(({ reason }) => reason === 'outcome_unknown').length,
    'late-approval-after-cancel': rows.filter(
      ({ status, lateEvidence }) => status === 'cancelled' && lateEvidence !== null,
    ).length,
    'slow-down-3': ledger.filter(({ tokens }) => tokens.filter(({ said }) => said === 'slow_down').length >= 3).length,
    'duplicate-ping': ledger.filter(({ pings }) => pings.length > 1).length,
    'retry-after-429': refusedForNow.length + throttledPolls.length + refusedDeliveries.length,
  };
}
