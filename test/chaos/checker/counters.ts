import { requestIdOf, succeeded } from './calls.js';
import { groupBy, type History } from './history.js';
import { acknowledgedIds } from './invariants/i01-accepted-is-stored.js';

/** Six numbers about what clients submitted. All is well while `lost`, `duplicated` and `unexpected` are 0. */
export interface Counters {
  /** Different requests that clients tried to submit. */
  readonly attempted: number;
  /** Of these, answered with an id. */
  readonly acknowledged: number;
  /** Acknowledged, and not there, not ended or not decided. */
  readonly lost: number;
  /** Done more than once: rows of one key, decisions or consumptions of one request. */
  readonly duplicated: number;
  /** Answered only after a repetition, or there although no answer ever came. */
  readonly recovered: number;
  /** There, and never submitted. */
  readonly unexpected: number;
}

export function countersOf(history: History): Counters {
  const { requests, decisionsOfRequest } = history;
  const submits = history.calls.filter(({ sent }) => sent.op === 'submit');
  const keyed = groupBy(
    submits.filter(({ sent }) => sent.idempotencyKey),
    ({ sent }) => `${history.clientId(sent.client)} ${sent.idempotencyKey}`,
  );
  const unkeyed = submits.filter(({ sent }) => !sent.idempotencyKey);
  const acknowledged = acknowledgedIds(history);
  const ended = (id: string) => requests.get(id)?.endedAtMs != null && (decisionsOfRequest.get(id)?.length ?? 0) > 0;
  const rows = [...requests.values()];
  const rowsOfKey = groupBy(
    rows.filter(({ idempotencyKey }) => idempotencyKey !== null),
    (row) => `${row.apiClientId} ${row.idempotencyKey}`,
  );
  const consumed = groupBy(
    history.calls.filter((call) => call.sent.op === 'consume' && succeeded(call) && call.answered!.replayed !== true),
    (call) => requestIdOf(call) ?? '',
  );
  const moreThanOne = (groups: ReadonlyMap<string, readonly unknown[]>) =>
    [...groups.values()].reduce((sum, { length }) => sum + Math.max(0, length - 1), 0);
  const unseen = rows.filter(
    ({ id, apiClientId, idempotencyKey }) => !acknowledged.has(id) && keyed.has(`${apiClientId} ${idempotencyKey}`),
  );
  const repeated = [...keyed.values()].filter((calls) => calls.some(succeeded) && !succeeded(earliest(calls)));
  const unkeyedRows = rows.filter(({ idempotencyKey }) => idempotencyKey === null).length;
  return {
    attempted: keyed.size + unkeyed.length,
    acknowledged: acknowledged.size,
    lost: [...acknowledged].filter((id) => !ended(id)).length,
    duplicated: moreThanOne(rowsOfKey) + moreThanOne(decisionsOfRequest) + moreThanOne(consumed),
    recovered: repeated.length + unseen.length,
    unexpected:
      [...rowsOfKey.keys()].filter((key) => !keyed.has(key)).length + Math.max(0, unkeyedRows - unkeyed.length),
  };
}

const earliest = (calls: readonly History['calls'][number][]) =>
  calls.reduce((first, call) => (call.sent.atMs < first.sent.atMs ? call : first));

/** How many requests ended in which way; failures by their reason. */
export function outcomesOf({ requests }: History): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { status, reason, lateEvidence } of requests.values()) {
    const name =
      [status, reason].filter((part) => part !== null).join('/') + (lateEvidence === null ? '' : ' +late evidence');
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([, one], [, other]) => other - one));
}
