import type { FaultLine, RecoveryLine } from './history-lines.js';
import { Findings, type Judgement } from './judgement.js';

/** How soon after its healing the work that a fault had stopped has to flow again, in 95 of 100 cases, in ms. */
const limitsMs = { process: 15_000, postgres: 10_000, broker: 15_000 } as const;
type Class = keyof typeof limitsMs;

export interface Quantiles {
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly max: number | null;
  readonly limit: number;
}

/**
 * Times until work flowed again, by what had failed; every kind of fault that occurred has to have been measured.
 *
 * A short run has too few of them for a quantile, and the machine to itself no more than any other test: there, work has
 * to flow again, and no time is asserted.
 */
export function judgeRecovery(
  lines: readonly RecoveryLine[],
  faults: readonly FaultLine[],
  mode: 'full' | 'short',
): { readonly quantiles: Record<Class, Quantiles>; readonly judgement: Judgement } {
  const findings = new Findings();
  const times: Record<Class, number[]> = { process: [], postgres: [], broker: [] };
  for (const { faultId, kind, target, healedAtMs, flowedAgainAtMs } of lines) {
    const what = classOf(kind, target);
    findings.expect(flowedAgainAtMs !== null, faultId, `after the ${kind} of ${target} nothing flowed again`);
    if (what !== null && flowedAgainAtMs !== null) times[what].push(Math.max(0, flowedAgainAtMs - healedAtMs));
  }
  const quantiles = {} as Record<Class, Quantiles>;
  for (const what of Object.keys(limitsMs) as Class[]) {
    const sorted = times[what].sort((one, other) => one - other);
    const limit = limitsMs[what];
    const p95 = quantile(sorted, 0.95);
    quantiles[what] = { count: sorted.length, p50: quantile(sorted, 0.5), p95, max: sorted.at(-1) ?? null, limit };
    findings.expect(
      mode === 'short' || p95 === null || p95 <= limit,
      what,
      `p95 of recovery is ${p95} ms, at most ${limit} ms are promised`,
    );
    const happened = faults.some(({ kind, target }) => classOf(kind, target) === what);
    findings.expect(!happened || sorted.length > 0, what, 'killed, and its recovery was never measured');
  }
  return { quantiles, judgement: findings };
}

function classOf(kind: string, target: string): Class | null {
  if (kind === 'kill-postgres') return 'postgres';
  if (kind === 'kill-broker' || kind === 'wipe-broker') return 'broker';
  if (kind !== 'kill' && kind !== 'stop') return null;
  if (target === 'postgres') return 'postgres';
  return target === 'broker' ? 'broker' : 'process';
}

/** Nearest rank. */
function quantile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}
