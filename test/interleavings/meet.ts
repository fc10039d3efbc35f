import { enumerate, interleavings, Slipped } from './enumerate.js';
import { countUnderKey, readFacts, ruleVersions } from './facts.js';
import type { Lane } from './lane.js';
import { LockHolder } from './lock-holder.js';
import { perform, type Report } from './commands.js';
import { judge } from './oracle.js';
import { nameOf, type Meeting } from './plan.js';
import { arm, closingMs, prepare, type Subject } from './states.js';
import { Stepper, type Choose, type Run } from './stepper.js';
import { randomFrom, type Triple } from './triples.js';

/** What came of one meeting, run in every order. */
export interface MeetingResult {
  readonly meeting: Meeting;
  /** 0: nobody comes to the lock. */
  readonly runs: number;
  readonly complete: boolean;
  /** The number that a formula gives, where the commands have the same number of steps in every order; else null. */
  readonly byFormula: number | null;
  /** Runs in which somebody waited for a lock. */
  readonly waited: number;
  readonly violations: readonly Violation[];
}

export interface Violation {
  readonly meeting: string;
  readonly trace: readonly string[];
  readonly problems: readonly string[];
}

/** Thrown through an enumeration to end it. */
class Enough extends Error {}

const batch = 24;

/** Lets commands meet on one lane, and judges what they leave behind. */
export class MeetingPlace {
  readonly #ready = new Map<string, Subject[]>();
  #previous: Subject | null = null;

  constructor(private readonly lane: Lane) {}

  /** All orders of the commands' statements, one run each. */
  async everyOrder(meeting: Meeting, stopAtFirst = false): Promise<MeetingResult> {
    const violations: Violation[] = [];
    const stepCounts = new Set<string>();
    let waited = 0;
    try {
      const { runs, complete } = await enumerate(async (choose, slips) => {
        const { run, problems } = await this.once(meeting, choose, slips);
        if (meeting.lock !== 'none' && !run.waited) throw new Enough();
        if (run.waited) waited++;
        stepCounts.add(run.steps.join());
        if (problems.length === 0) return;
        violations.push({ meeting: nameOf(meeting), trace: run.trace, problems });
        if (stopAtFirst) throw new Enough();
      });
      const [steps] = stepCounts;
      const [first, second] = steps!.split(',').map(Number);
      const byFormula = waited === 0 && stepCounts.size === 1 ? interleavings(first!, second!) : null;
      return { meeting, runs, complete, byFormula, waited, violations };
    } catch (error) {
      if (!(error instanceof Enough)) throw new Error(`${nameOf(meeting)}: ${String(error)}`, { cause: error });
      return { meeting, runs: 0, complete: true, byFormula: null, waited, violations };
    }
  }

  /** One order, drawn by the seed; null: the rules hold. */
  async randomOrder({ meeting, seed }: Triple): Promise<Violation | null> {
    for (let slips = 0; ; slips++) {
      const random = randomFrom(seed);
      const choose: Choose = (enabled) => Math.floor(random() * enabled.length);
      try {
        const { run, problems } = await this.once(meeting, choose, slips);
        return problems.length === 0 ? null : { meeting: nameOf(meeting), trace: run.trace, problems };
      } catch (error) {
        if (!(error instanceof Slipped) || slips >= 6) throw error;
      }
    }
  }

  /** One order. */
  async once(meeting: Meeting, choose: Choose, slips = 0): Promise<{ run: Run; problems: string[] }> {
    const { lane } = this;
    const subject = await this.#subject(meeting);
    await arm(lane, subject, this.#previous, closingMs * 3 ** slips);
    this.#previous = subject;
    const ruleVersion = (await ruleVersions(lane.monitor, lane.rules[meeting.mode].id)).current;
    let failed = false;
    const holder =
      meeting.lock === 'none' ? null : await LockHolder.take(lane.locker, meeting.lock, subject, () => failed);
    const parties = meeting.names.map((name, ordinal) => {
      const process = lane.processes[ordinal]!;
      const situation = { lane, database: process.database, subject, ordinal, ruleVersion };
      return { process, command: () => perform(name, situation) };
    });
    const run = await new Stepper(parties, lane, holder).run((enabled) => {
      try {
        return choose(enabled);
      } catch (error) {
        failed = true;
        throw error;
      }
    });
    const problems = await this.#judge(meeting, subject, run, ruleVersion, holder?.releasedAt ?? null);
    return { run, problems };
  }

  async #judge(meeting: Meeting, subject: Subject, run: Run, read: number, releasedAt: string | null) {
    const { monitor, rules } = this.lane;
    const ends = run.ends as ReadonlyArray<PromiseSettledResult<Report>>;
    const created = ends.flatMap((end) => {
      const answer = end.status === 'fulfilled' ? (end.value.answer as { kind?: string; id?: string } | null) : null;
      return subject.state === 'absent' && answer?.kind === 'created' ? [answer.id!] : [];
    });
    const requestId = created[0] ?? subject.requestId;
    return judge({
      subject: { ...subject, requestId },
      names: meeting.names,
      ends,
      facts: await readFacts(monitor, requestId, subject.shard),
      other: meeting.names.includes('reuse') ? await readFacts(monitor, subject.otherRequestId, -1) : null,
      underKey: meeting.names.includes('submit') ? await countUnderKey(monitor, subject.idempotencyKey) : 1,
      rule: { read, ...(await ruleVersions(monitor, rules[meeting.mode].id)) },
      releasedAt,
    });
  }

  async #subject({ state, mode, names }: Meeting): Promise<Subject> {
    const withOther = names.includes('reuse');
    const key = `${state} ${mode} ${withOther}`;
    const ready = this.#ready.get(key) ?? [];
    if (ready.length === 0) ready.push(...(await prepare(this.lane, state, mode, batch, withOther)));
    this.#ready.set(key, ready);
    return ready.pop()!;
  }
}
