import { fitnessChecks, type Database, type Unfitness } from '#lib/persistence';
import { Loop, type HealthCheck, type HealthProblem, type Log } from '#lib/runtime';

/** How often a database in use is looked at again. */
const everyMs = 5000;
/** Checks of one call to /health/ready share a look. */
const freshForMs = 250;

/** Whether the database may be used, at the start and for as long as the process runs; what changes is logged. */
export class Fitness {
  readonly #loop: Loop;
  #database: Pick<Database, 'judge'> | null = null;
  #told = new Map<string, Unfitness>();
  #look: { readonly atMs: number; readonly findings: Promise<readonly Unfitness[]> } | null = null;

  constructor(private readonly log: Log) {
    const tick = async () => this.tell(await this.#database!.judge());
    this.#loop = new Loop({ name: 'Looking at the database', everyMs, tick, log });
  }

  /** Logs what has changed since the last time: each finding once when it comes, and once when it goes. */
  tell(findings: readonly Unfitness[]): void {
    const now = new Map(findings.map((finding) => [`${finding.check} ${finding.reason}`, finding]));
    const known = new Set([...this.#told.values()].map(({ check }) => check));
    for (const { check, ...problem } of now.values()) {
      if (!known.has(check)) this.log.error('Not ready', { check, ...problem });
    }
    const left = new Set(findings.map(({ check }) => check));
    for (const check of known) if (!left.has(check)) this.log.info('Ready again', { check });
    this.#told = now;
  }

  /** Looks again from time to time, until `stop`. */
  watch(database: Pick<Database, 'judge'>): void {
    this.#database = database;
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** One check for each thing that is looked at. */
  checks(): HealthCheck[] {
    return fitnessChecks.map((name) => ({
      name,
      check: async () => {
        const findings = await this.#recent().catch((error: unknown) => {
          // Said once: of a database that does not answer nothing else is known.
          if (name === 'database') throw error;
          return [];
        });
        return problemOf(findings, name);
      },
    }));
  }

  #recent(): Promise<readonly Unfitness[]> {
    const nowMs = performance.now();
    if (this.#look === null || nowMs - this.#look.atMs > freshForMs) {
      this.#look = { atMs: nowMs, findings: this.#database!.judge() };
    }
    return this.#look.findings;
  }
}

/** All that is wrong with one thing, as one problem. */
export function problemOf(findings: readonly Unfitness[], name: string): HealthProblem | null {
  const mine = findings.filter(({ check }) => check === name);
  if (mine.length === 0) return null;
  const joined = (texts: readonly string[]) => [...new Set(texts)].join(' ');
  return {
    reason: mine.map(({ reason }) => reason).join('; '),
    whatToDo: joined(mine.map(({ whatToDo }) => whatToDo)),
  };
}
