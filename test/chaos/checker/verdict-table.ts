import type { Verdict } from './judge-history.js';

const shownViolations = 5;

/** The verdict as a page of text. */
export function verdictTable(verdict: Verdict): string {
  return [
    `${verdict.requests} requests, ${verdict.faults} faults, seed ${verdict.seed}, judged as a ${verdict.mode} run`,
    '',
    ...section('Invariants', invariantLines(verdict)),
    ...section('Counters', pairs(verdict.counters)),
    ...section('Outcomes', pairs(verdict.outcomes)),
    ...section('outcome_unknown, and why', causes(verdict)),
    ...section('Recovery, ms', recoveryLines(verdict)),
    ...section('Sometimes', sometimesLines(verdict)),
    ...(verdict.vacuous.length > 0 ? [`Nothing to look at: ${verdict.vacuous.join(', ')}`, ''] : []),
    verdict.ok ? 'All is well.' : 'NOT all is well.',
    '',
  ].join('\n');
}

function invariantLines({ invariants }: Verdict): string[] {
  return Object.entries(invariants).flatMap(([id, { ok, claim, checked, violated, violations, notes, elsewhere }]) => {
    const sign = { true: 'ok  ', false: 'FAIL', null: '–   ' }[String(ok) as 'true' | 'false' | 'null'];
    const count = ok === null ? 'not judged here' : `${checked} checked${violated > 0 ? `, ${violated} violated` : ''}`;
    return [
      `${sign} ${id.padEnd(4)} ${claim}: ${count}`,
      ...violations.slice(0, shownViolations).map(({ about, what }) => `            ${about}: ${what}`),
      ...(violated > shownViolations ? [`            and ${violated - shownViolations} more`] : []),
      ...notes.map((note) => `          · ${note}`),
      ...(ok === null && elsewhere !== null ? [`          · ${elsewhere}`] : []),
    ];
  });
}

function recoveryLines({ recovery, recoveryViolations }: Verdict): string[] {
  return [
    ...Object.entries(recovery).map(
      ([what, { count, p50, p95, max, limit }]) =>
        `${what.padEnd(9)} ${String(count).padStart(4)} ×  p50 ${p50 ?? '–'}  p95 ${p95 ?? '–'}  max ${max ?? '–'}  (limit ${limit})`,
    ),
    ...recoveryViolations.map(({ about, what }) => `FAIL ${about}: ${what}`),
  ];
}

const causes = ({ outcomeUnknown }: Verdict): string[] =>
  outcomeUnknown.length === 0
    ? ['none']
    : outcomeUnknown.slice(0, 20).map(({ requestId, cause }) => `${requestId}  ${cause ?? 'UNEXPLAINED'}`);

const sometimesLines = ({ sometimes, neverHappened }: Verdict): string[] =>
  Object.entries(sometimes).map(
    ([name, count]) => `${String(count).padStart(7)}  ${name}${neverHappened.includes(name) ? '  NEVER HAPPENED' : ''}`,
  );

const pairs = (record: object): string[] =>
  Object.entries(record).map(([name, count]) => `${String(count).padStart(7)}  ${name}`);

const section = (title: string, lines: readonly string[]): string[] => [title, ...lines.map((line) => `  ${line}`), ''];
