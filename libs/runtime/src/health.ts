/** What is wrong with something, and what mends it; each one sentence. */
export interface HealthProblem {
  readonly reason: string;
  readonly whatToDo: string;
}

/** One thing that must work for the process to be useful. */
export interface HealthCheck {
  readonly name: string;
  /** When it fails: `required` makes the process unready, `degraded` is told and no more. Default `required`. */
  readonly importance?: 'required' | 'degraded';
  /** Null when all is well. A rejection counts as a failure. */
  check(): Promise<HealthProblem | null>;
}

/** How one check stands; `reason` and `whatToDo` are null when it is well. */
export interface CheckReport {
  readonly name: string;
  readonly ok: boolean;
  readonly reason: string | null;
  readonly whatToDo: string | null;
}

export interface HealthReport {
  readonly status: 'ready' | 'degraded' | 'not-ready';
  readonly checks: readonly CheckReport[];
}

const checkTimeoutMs = 2000;

/** Runs all checks side by side; one that hangs counts as failed after two seconds. */
export async function readiness(checks: readonly HealthCheck[]): Promise<HealthReport> {
  const results = await Promise.all(
    checks.map(async (check) => ({ check, problem: await withinLimit(() => check.check()) })),
  );
  const broken = results.filter((result) => result.problem !== null);
  const unready = broken.some((result) => (result.check.importance ?? 'required') === 'required');
  return {
    status: unready ? 'not-ready' : broken.length > 0 ? 'degraded' : 'ready',
    checks: results.map(({ check, problem }) => checkReport(check.name, problem)),
  };
}

/** How a check stands that has found this, or nothing. */
export const checkReport = (name: string, problem: HealthProblem | null): CheckReport => ({
  name,
  ok: problem === null,
  reason: problem?.reason ?? null,
  whatToDo: problem?.whatToDo ?? null,
});

const seeTheLog = 'Look at the log of this process.';

async function withinLimit(check: () => Promise<HealthProblem | null>): Promise<HealthProblem | null> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<HealthProblem>((resolve) => {
    const reason = `no answer within ${checkTimeoutMs / 1000} s`;
    timer = setTimeout(() => resolve({ reason, whatToDo: seeTheLog }), checkTimeoutMs);
  });
  try {
    return await Promise.race([check(), limit]);
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error), whatToDo: seeTheLog };
  } finally {
    clearTimeout(timer);
  }
}
