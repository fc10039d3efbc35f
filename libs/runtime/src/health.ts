/** One thing that must work for the process to be useful. */
export interface HealthCheck {
  readonly name: string;
  /** When it fails: `required` makes the process unready, `degraded` is told and no more. Default `required`. */
  readonly importance?: 'required' | 'degraded';
  /** Null when all is well, else what is wrong, in one sentence. */
  check(): Promise<string | null>;
}

export interface HealthReport {
  readonly status: 'ready' | 'degraded' | 'not-ready';
  readonly checks: ReadonlyArray<{ readonly name: string; readonly ok: boolean; readonly problem: string | null }>;
}

const checkTimeoutMs = 2000;

/** Runs all checks side by side; one that hangs counts as failed after two seconds. */
export async function readiness(checks: readonly HealthCheck[]): Promise<HealthReport> {
  const results = await Promise.all(
    checks.map(async (check) => ({ check, problem: await withinLimit(check.check()) })),
  );
  const broken = results.filter((result) => result.problem !== null);
  const unready = broken.some((result) => (result.check.importance ?? 'required') === 'required');
  return {
    status: unready ? 'not-ready' : broken.length > 0 ? 'degraded' : 'ready',
    checks: results.map(({ check, problem }) => ({ name: check.name, ok: problem === null, problem })),
  };
}

async function withinLimit(answer: Promise<string | null>): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${checkTimeoutMs / 1000} s`), checkTimeoutMs);
  });
  try {
    return await Promise.race([answer, limit]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
