import type { Facts, ObservedChange } from './facts.js';
import type { CommandName, Report } from './commands.js';
import type { Subject } from './states.js';

/** What a run has left behind. */
export interface Outcome {
  readonly subject: Subject;
  readonly names: readonly CommandName[];
  /** How each command ended. */
  readonly ends: ReadonlyArray<PromiseSettledResult<Report>>;
  readonly facts: Facts;
  /** Of the other request, when one is concerned. */
  readonly other: Facts | null;
  /** Requests under the idempotency key. */
  readonly underKey: number;
  readonly rule: { readonly read: number; readonly current: number; readonly versions: number };
  /** When the lock was let go, by the database's clock; null: nobody held one. */
  readonly releasedAt: string | null;
}

const terminal = ['approved', 'denied', 'expired', 'cancelled', 'failed'];
const mayFollow: Readonly<Record<string, readonly string[]>> = {
  requested: ['requested', 'pending', 'denied', 'expired', 'cancelled', 'failed'],
  pending: ['pending', ...terminal],
};
const causes: Readonly<Record<string, readonly CommandName[]>> = {
  pending: ['acknowledge', 'ping', 'push', 'start'],
  approved: ['approve', 'approve-late', 'approve-held'],
  denied: ['deny'],
  expired: ['expire', 'approve', 'approve-late', 'approve-held'],
  cancelled: ['cancel'],
  failed: ['fail-fenced', 'take-over', 'fail-start', 'approve'],
};
const concluding: readonly CommandName[] = ['approve', 'approve-late', 'approve-held', 'deny', 'cancel', 'fail-start'];

/**
 * What must be true after any two commands, in any order: plain rules over the rows that are left, written without a
 * look at the state machine that they judge. Answers the rules that are broken, by their numbers where they have one.
 */
export function judge(outcome: Outcome): string[] {
  const problems: string[] = [];
  const check = (holds: boolean, problem: string) => void (holds || problems.push(problem));
  const reports = outcome.ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  for (const [index, end] of outcome.ends.entries()) {
    if (end.status === 'rejected') problems.push(`${outcome.names[index]} failed: ${String(end.reason)}`);
  }
  const run = { ...outcome, reports, changes: reports.flatMap((report) => report.changes) };
  for (const rule of rulesOfRun) rule(run, check);
  // Before anybody has submitted it there is no request to be judged.
  if (outcome.facts.request !== null) for (const rule of rulesOfRequest) rule(run, check);
  return problems;
}

type Judged = Outcome & {
  readonly reports: readonly Report[];
  readonly changes: Report['changes'];
};
type Rule = (run: Judged, check: (holds: boolean, problem: string) => void) => void;

const isTerminal = (status: string): boolean => terminal.includes(status);
const count = <Item>(items: readonly Item[], wanted: Item): number => items.filter((item) => item === wanted).length;
const applied = ({ changes }: Judged, type: string) =>
  changes.filter(({ command, result }) => command.type === type && result.kind === 'applied');
const entered = ({ facts }: Judged): readonly ObservedChange[] =>
  facts.changes.filter(({ before, after }) => before?.status !== after.status);

const history: Rule = ({ facts }, check) => {
  for (const { before, after } of facts.changes) {
    if (before === null) continue;
    check(!isTerminal(before.status) || before.status === after.status, `I3: ${before.status} became ${after.status}`);
    check(
      before.status === after.status || (mayFollow[before.status] ?? []).includes(after.status),
      `I3: ${before.status} cannot become ${after.status}`,
    );
    check(before.status === after.status || after.version > before.version, 'I19: a status without a new version');
    check(after.version >= before.version, 'I19: the version went back');
    check(!before.consumed || after.consumed, 'I8: a consumption was undone');
    check(before.decision === null || before.decision === after.decision, 'I15: the decision was replaced');
  }
};

const oneEnd: Rule = (run, check) => {
  const { facts } = run;
  const ends = facts.timeline.filter(isTerminal);
  const status = facts.request!.status;
  check(ends.length <= 1, `I3: ${ends.length} ends on the timeline (${ends.join(', ')})`);
  check(isTerminal(status) === (ends.length === 1), `I3: ${status}, and the timeline says ${ends.join() || 'nothing'}`);
  check(
    ends.every((end) => end === status),
    `I3: ${status}, and the timeline says ${ends.join()}`,
  );
  check(entered(run).filter(({ after }) => isTerminal(after.status)).length <= 1, 'I3: two terminal transitions');
  const winners = run.changes.filter(({ requestId, result }) => {
    return (
      requestId === run.subject.requestId &&
      result.kind === 'applied' &&
      result.transition.to !== result.transition.from &&
      isTerminal(result.transition.to)
    );
  });
  check(winners.length <= 1, 'I3: two callers were told that they had ended it');
};

const events: Rule = (run, check) => {
  const { facts } = run;
  const facts_ = facts.events.filter(({ exchange }) => exchange === 'assent.authorizations');
  for (const { after } of entered(run)) {
    const key = after.status === 'pending' ? 'authorization.initiated' : `authorization.${after.status}`;
    const told = facts_.filter((event) => event.key === key && event.data.stateVersion === after.version);
    check(told.length === 1, `I20: ${told.length} events for ${after.status} ${after.version}`);
  }
  const pings = facts_.filter(({ key }) => key === 'authorization.pinged').length;
  check(facts_.length === entered(run).length + pings, 'I20: an event without a change');
  check(pings === (facts.request!.pinged_at === null ? 0 : 1), `I20: ${pings} events for one notification`);
  check(
    facts.timeline.filter((type) => type === 'pinged' || type === 'pushed').length === pings,
    'I20: pings on the timeline',
  );
};

const decision: Rule = ({ facts, reports }, check) => {
  const { status, decision_id: id } = facts.request!;
  const told = facts.events.filter(({ exchange }) => exchange === 'assent.decisions');
  check(facts.decisions.length <= 1, `I15: ${facts.decisions.length} decisions`);
  check((id === null ? 0 : 1) === facts.decisions.length, 'I15: the request and its decision disagree');
  check(
    facts.decisions.every((one) => one.id === id && one.outcome === status),
    'I15: a decision of another outcome',
  );
  check(
    told.length === facts.decisions.length && told.every(({ data }) => data.id === id),
    'I20: events of the decision',
  );
  check(
    facts.deliveries === facts.decisions.length,
    `I16: ${facts.deliveries} deliveries of ${facts.decisions.length} decisions`,
  );
  check(count(facts.timeline, 'decided') === facts.decisions.length, 'I15: the timeline and the decision disagree');
  check(
    count(
      reports.map(({ answer }) => answer),
      'recorded',
    ) <= 1,
    'I15: recorded twice',
  );
};

const evidence: Rule = ({ subject, facts, reports, other }, check) => {
  const request = facts.request!;
  const shown = reports
    .filter(({ name, evidence }) => evidence !== null && name !== 'reuse')
    .map((r) => r.evidence!.idTokenSha256);
  const approvedBy = request.evidence?.idTokenSha256 ?? null;
  check((request.status === 'approved') === (approvedBy !== null), 'I4: approved without evidence');
  check(approvedBy === null || [...shown, subject.evidence.idTokenSha256].includes(approvedBy), 'I4: foreign evidence');
  check(approvedBy === null || request.id_token_sha256 === approvedBy, 'I7: the ID token is not claimed');
  check(approvedBy === null || approvedBy !== other?.request?.evidence?.idTokenSha256, 'I7: one ID token approved two');
  const late = shown.filter((hash) => hash !== approvedBy);
  const refusedAsReused = request.reason === 'invalid_evidence';
  check(shown.length === 0 || isTerminal(request.status), 'I13: tokens came, and the request goes on');
  if (late.length > 0 && !refusedAsReused) {
    const kept = request.late_evidence?.idTokenSha256 ?? null;
    check(kept !== null && late.includes(kept), 'I10: late evidence was not kept');
  }
  check(count(facts.timeline, 'late_evidence') <= 1, 'I10: late evidence was kept twice');
};

const cancellation: Rule = ({ facts, changes }, check) => {
  for (const { command, result } of changes) {
    if (command.type !== 'cancel') continue;
    const promised = result.kind === 'applied' || (result.kind === 'refused' && result.current.status === 'cancelled');
    check(!promised || facts.request!.status === 'cancelled', 'I10: a cancellation was acknowledged and did not last');
  }
};

const consumption: Rule = (run, check) => {
  const request = run.facts.request!;
  const successes = applied(run, 'consume');
  check(successes.length <= 1, `I8: ${successes.length} callers used one approval`);
  check(successes.length === (request.consumed_at === null ? 0 : 1), 'I8: the row and the callers disagree');
  check(successes.length === 0 || request.status === 'approved', 'I9: used without an approval');
  check(count(run.facts.timeline, 'consumed') === successes.length, 'I8: the timeline and the callers disagree');
  for (const { command } of successes) {
    check(command.type === 'consume' && request.consume_key === command.key, 'I8: another caller stands in the row');
  }
  for (const report of run.reports) {
    if (!report.changes.some((change) => successes.includes(change))) continue;
    const { accessToken } = report.answer as { accessToken: unknown };
    check(accessToken !== null, 'I9: the approval was used, and its token was gone');
  }
};

const cause: Rule = (run, check) => {
  const { facts, names, subject } = run;
  const before = {
    absent: 'requested',
    submitted: 'requested',
    asked: 'requested',
    pending: 'pending',
    overdue: 'pending',
    closing: 'pending',
  }[subject.state as string];
  const now = facts.request!.status;
  if (before === undefined || now === before) return;
  check(
    (causes[now] ?? []).some((name) => names.includes(name)),
    `I5, I6: ${now} without a cause`,
  );
};

const progress: Rule = ({ facts, names, subject }, check) => {
  const wasWaiting = ['pending', 'overdue', 'closing', 'asked', 'submitted'].includes(subject.state);
  if (!wasWaiting || !names.some((name) => concluding.includes(name))) return;
  // A start that failed after the provider had pinged is news that came too late.
  if (names.includes('fail-start') && facts.request!.status === 'pending') return;
  check(isTerminal(facts.request!.status), `a command ended, and the request is ${facts.request!.status}`);
};

const time: Rule = ({ facts, releasedAt, subject }, check) => {
  const { expires_at: expiresAt, consume_by: consumeBy } = facts.request!;
  const passed = (deadline: string | null) =>
    deadline !== null && releasedAt !== null && Date.parse(releasedAt) >= Date.parse(deadline);
  for (const { before, after, at } of facts.changes) {
    if (before === null) continue;
    const approves = before.status !== 'approved' && after.status === 'approved';
    const consumes = !before.consumed && after.consumed;
    // Whoever held the lock let go after the deadline, so whatever was written then was written after it.
    check(!approves || (subject.state !== 'overdue' && !passed(expiresAt)), 'I6: approved after the deadline');
    check(!consumes || !passed(consumeBy), 'I9: used after its time');
    const expires = before.status === 'pending' && after.status === 'expired' && subject.state !== 'expired';
    check(
      !expires || (expiresAt !== null && Date.parse(at) >= Date.parse(expiresAt)),
      'I6: expired before the deadline',
    );
  }
};

const fence: Rule = ({ facts, changes, subject }, check) => {
  const since = facts.owners.findLastIndex(({ after }) => after.owner === subject.fence.owner);
  const taken = facts.owners.slice(since + 1).filter(({ after }) => /^poller-\d+$/.test(after.owner));
  for (const { before, after } of taken) check(after.epoch === before.epoch + 1, 'I12: taken over in the same epoch');
  for (const { result } of changes) {
    if (result.kind !== 'applied' || result.transition.fence?.owner !== subject.fence.owner) continue;
    const change = facts.changes.find(
      ({ after }) => after.version === result.stateVersion && after.status === result.transition.to,
    );
    const stale = taken.some(({ position }) => change !== undefined && position < change.position);
    check(!stale, 'I12: an owner that had lost its shard made its word final');
  }
};

const submission: Rule = ({ reports, underKey, subject }, check) => {
  const answers = reports
    .filter(({ name }) => name === 'submit')
    .map(({ answer }) => answer as { kind: string; id?: string });
  if (answers.length === 0) return;
  check(underKey === 1, `I22: ${underKey} requests under one key`);
  const created = answers.filter(({ kind }) => kind === 'created').length;
  check(created === (subject.state === 'absent' ? 1 : 0), `I22: created ${created} times`);
  check(
    answers.every(({ kind }) => kind === 'created' || kind === 'replayed'),
    'I22: neither created nor replayed',
  );
  check(new Set(answers.map(({ id }) => id)).size === 1, 'I22: two ids under one key');
};

const ruleChange: Rule = ({ reports, rule }, check) => {
  const answers = reports.filter(({ name }) => name === 'change-rule').map(({ answer }) => answer);
  const updated = count(answers, 'updated');
  check(answers.length === 0 || updated === 1, `a rule changed ${updated} times from one version`);
  check(
    answers.every((answer) => answer === 'updated' || answer === 'version-mismatch'),
    'an answer to a change of a rule',
  );
  check(rule.current === rule.read + updated, 'a change of a rule was lost');
  check(rule.versions === rule.current, 'a version of a rule is missing');
};

const starts: Rule = ({ facts, reports, subject }, check) => {
  const opened = reports.filter(({ answer }) => (answer as { kind?: string } | null)?.kind === 'opened').length;
  const before = subject.state === 'submitted' || subject.state === 'absent' ? 0 : 1;
  check(opened + before <= 1, `I14: ${opened + before} attempts, and nobody knows that the first reached nobody`);
  check(facts.attempts.length === opened + before, 'I14: an attempt that nobody made');
  check(facts.inbox <= 2, 'I21: an event was put on record twice');
  const closed = facts.attempts.filter(({ outcome }) => outcome === 'acknowledged').length;
  const asked = facts.timeline.includes('initiated') ? 1 : 0;
  check(closed === asked, 'the attempt and the timeline disagree');
};

const held: Rule = ({ facts }, check) => {
  check(facts.held === 0 || facts.request!.status === 'pending', 'an answer was kept beyond the end');
};

const rulesOfRun: readonly Rule[] = [submission, ruleChange];
const rulesOfRequest: readonly Rule[] = [
  ...[history, oneEnd, events, decision, evidence, cancellation, consumption],
  ...[cause, progress, time, fence, starts, held],
];
