import type { Grant, History } from '../history.js';
import type { ProviderLine } from '../history-lines.js';
import { Findings, type Invariant } from '../judgement.js';
import { lossOf } from '../used-up.js';

/** How much earlier than told a call may arrive: its predecessor may have been slower on the way. */
const toleranceMs = 100;
const slowDownMs = 5_000;
/** From the provider through us to the owner of the request. */
const pingOnItsWayMs = 5_000;
const final: ReadonlySet<string> = new Set(['tokens', 'access_denied', 'expired_token', 'invalid_grant']);

/**
 * I11. Polls of one `auth_req_id` keep the interval, and 5 s more after each `slow_down`; none follows an answer that
 * was final, unless that answer may have been lost.
 *
 * A ping lets one poll go at once. `slow_down` is remembered by the owner of a request alone: after its loss the
 * successor keeps the interval that the provider first named.
 */
export const pollsKeepTheirDistance: Invariant = {
  id: 'I11',
  claim: 'polls keep the interval and its slow-downs, and end with the answer',
  judge: (history) => {
    const findings = new Findings();
    const excused = { delayed: 0, forgotten: 0 };
    for (const grant of history.grants.values()) {
      const about = grant.start?.bindingMessage ?? grant.sha256;
      spacing(history, grant, about, findings, excused);
      nothingAfterwards(history, grant, about, findings);
    }
    if (excused.delayed > 0) findings.note(`${excused.delayed} polls close together, explained by a delay on the way`);
    if (excused.forgotten > 0) findings.note(`${excused.forgotten} slow-downs forgotten with their owner`);
    return findings;
  },
};

function spacing(
  { faults }: History,
  { start, tokens, pings }: Grant,
  about: string,
  findings: Findings,
  excused: { delayed: number; forgotten: number },
): void {
  const toldMs = start?.intervalMs ?? slowDownMs;
  let slowedMs = toldMs;
  tokens.forEach((poll, index) => {
    const before = tokens[index - 1];
    if (before !== undefined) {
      if (before.said === 'slow_down') slowedMs = Math.max(slowedMs + slowDownMs, before.intervalMs ?? 0);
      const distanceMs = poll.atMs - before.atMs;
      const pinged = pings.some(({ atMs }) => atMs >= before.atMs - pingOnItsWayMs && atMs <= poll.atMs);
      const delayed = () => faults.delaysPolls(before.atMs - toldMs, poll.atMs) !== undefined;
      const forgotten = () => faults.changesOwner((start ?? before).atMs, poll.atMs) !== undefined;
      if (distanceMs < slowedMs - toleranceMs && !pinged) {
        if (delayed()) excused.delayed += 1;
        else if (distanceMs >= toldMs - toleranceMs && forgotten()) excused.forgotten += 1;
        else findings.expect(false, about, `polled after ${distanceMs} ms, with an interval of ${slowedMs} ms`);
      }
    }
    findings.checked += 1;
  });
}

function nothingAfterwards(history: History, { tokens }: Grant, about: string, findings: Findings): void {
  let ended: ProviderLine | null = null;
  for (const poll of tokens) {
    if (ended !== null) {
      findings.expect(false, about, `polled again ${poll.atMs - ended.atMs} ms after the answer ${ended.said}`);
    }
    const last = final.has(poll.said ?? '') || poll.error === 'invalid_request';
    ended = last && lossOf(history, poll) === undefined ? poll : null;
  }
}
