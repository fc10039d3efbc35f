import type { RequestRow } from './database-rows.js';
import type { Grant, History } from './history.js';
import type { FaultLine, ProviderLine } from './history-lines.js';

/** An answer that came this long before a fault may still have been on its way; a call may wait this long for its own. */
const onItsWayMs = 2_000;
const longestCallMs = 15_000;

/** The answer with which the provider used up a grant: it says so once, and lost answers stay lost. */
export function usedUpBy(grant: Grant | undefined): ProviderLine | undefined {
  return [...(grant?.tokens ?? []), ...(grant?.pushes ?? [])].find(
    ({ said }) => said === 'tokens' || said === 'access_denied',
  );
}

/** What can have cost us an answer of the provider: its own cut, or a fault on the way; undefined when nothing can. */
export function lossOf(history: History, answer: ProviderLine): string | undefined {
  if (answer.delivered === false) return 'the provider cut the connection';
  return described(history.faults.losesPollAnswer(answer.atMs, history.run.settings.callTimeoutMs ?? longestCallMs));
}

/** Why nobody can know how a request was answered; undefined when nothing explains it. */
export function causeOfDoubt(history: History, row: RequestRow): string | undefined {
  const grant = history.grantOf(row);
  const usedUp = usedUpBy(grant);
  if (usedUp !== undefined) return lossOf(history, usedUp) ?? takenOver(history, usedUp);
  for (const answer of grant?.tokens ?? []) {
    if (answer.delivered === false) return 'the provider cut the connection';
  }
  const last = grant?.tokens.at(-1);
  if (last !== undefined && saysNothing(last)) return `the provider’s last answer, a ${last.error}`;
  if (row.sentAtMs === null || row.endedAtMs === null) return undefined;
  return described(history.faults.clouds(row.sentAtMs - onItsWayMs, row.endedAtMs));
}

/** An answer that tokens may have been behind; 429 and 503 say that there were none. */
const saysNothing = ({ said, error }: ProviderLine): boolean =>
  said === 'none' && (error === '500' || error === '502' || error === '504');

/** Two owners may have asked at once: the one that got the answer lost its lease, the other one got `invalid_grant`. */
function takenOver({ faults, run }: History, { atMs }: ProviderLine): string | undefined {
  const { leaseMs = longestCallMs, callTimeoutMs = longestCallMs } = run.settings;
  return described(faults.changesOwner(atMs - leaseMs, atMs + callTimeoutMs));
}

/** Why nobody can know whether a person was asked; undefined when nothing explains it. */
export function causeOfUnknownStart(history: History, row: RequestRow): string | undefined {
  const starts = history.startsOf(row);
  if (starts.some(({ delivered }) => delivered === false)) return 'the provider cut the connection';
  if (starts.some(({ said, error }) => said === 'none' && (error === '502' || error === '504')))
    return 'a gateway’s answer';
  const attempts = history.startAttempts.get(row.id) ?? [];
  for (const { sentAtMs, closedAtMs } of attempts) {
    const cause = described(
      history.faults.losesStartAnswer(sentAtMs - onItsWayMs, closedAtMs ?? row.endedAtMs ?? sentAtMs + 60_000),
    );
    if (cause !== undefined) return cause;
  }
  return undefined;
}

const described = (fault: FaultLine | undefined): string | undefined =>
  fault && `${fault.kind} of ${fault.target} (${fault.faultId})`;
