import type {
  ConfigurationApplyBody,
  ConfigurationDiff,
  ConfigurationDiffBody,
  ConfigurationResult,
} from '#lib/contracts';
import type { Acting, AdminTransaction, Database } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import type { Plan, PlanConfiguration } from './plan-configuration.js';
import { at } from './plan-section.js';
import { Moved, type Step, type Work } from './step.js';

// Every repetition follows a change by somebody else; after so many of them, the others wait.
const maxAttempts = 5;

/** Makes what there is what a configuration says: all of it in one transaction, or nothing. */
export class ApplyConfiguration {
  /** Ends when nobody is alone any more: whoever is, reads by a second connection, and those are few. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly database: Pick<Database, 'administer' | 'administerAlone'>,
    private readonly planConfiguration: Pick<PlanConfiguration, 'run'>,
  ) {}

  /** What an apply would change. @throws ProblemError for a configuration that cannot work */
  async diff(body: ConfigurationDiffBody, acting: Acting): Promise<ConfigurationDiff> {
    return difference(await this.planConfiguration.run({ ...body, acting }));
  }

  /**
   * Applies it. The plan is made of what there was a moment ago, and each step demands that its object is still as it was
   * then; where one is not, nothing stays and the plan is made again, in the end while nobody else may change anything.
   * `refuse` may throw for a plan that must not be done.
   *
   * @throws ProblemError for a configuration that cannot work, or that meets changes by others again and again
   */
  async run(
    { dryRun, ...body }: ConfigurationApplyBody,
    acting: Acting,
    refuse: (plan: Plan) => void = () => undefined,
  ): Promise<ConfigurationResult> {
    const plan = async () => {
      const made = await this.planConfiguration.run({ ...body, acting });
      refuse(made);
      return made;
    };
    const execution = { acting, dryRun };
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const made = await plan();
      if (made.steps.length === 0) return { ...difference(made), dryRun, secrets: [] };
      try {
        return await settle(this.database.administer((transaction) => execute(made, execution, transaction)));
      } catch (error) {
        if (!(error instanceof Moved)) throw error;
      }
    }
    return this.inTurn(() =>
      settle(this.database.administerAlone(async (transaction) => execute(await plan(), execution, transaction))),
    ).catch((error: unknown) => {
      throw error instanceof Moved ? tooMuchGoesOn() : error;
    });
  }

  private inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.turn.then(work);
    this.turn = turn.catch(() => undefined);
    return turn;
  }
}

const tooMuchGoesOn = (): ProblemError =>
  new ProblemError('busy', 'Others change the configuration at the same time. Nothing was changed; try again.', {
    headers: { 'retry-after': '1' },
  });

interface Execution {
  readonly acting: Acting;
  readonly dryRun: boolean;
}

/** @throws Moved, TakenBack, ProblemError */
async function execute(
  plan: Plan,
  { acting, dryRun }: Execution,
  transaction: AdminTransaction,
): Promise<ConfigurationResult> {
  const work: Work = { acting: { ...acting, within: transaction }, names: plan.names.copy(), secrets: [] };
  for (const step of plan.steps) await make(step, work);
  // Secrets that are not kept are shown to nobody.
  if (dryRun) throw new TakenBack({ ...difference(plan), dryRun, secrets: [] });
  return { ...difference(plan), dryRun, secrets: work.secrets };
}

/** Ends the transaction of a dry run. */
class TakenBack extends Error {
  override readonly name = 'TakenBack';

  constructor(readonly result: ConfigurationResult) {
    super('This was a dry run.');
  }
}

async function settle(work: Promise<ConfigurationResult>): Promise<ConfigurationResult> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TakenBack) return error.result;
    throw error;
  }
}

async function make(step: Step, work: Work): Promise<void> {
  try {
    await step.run(work);
  } catch (error) {
    throw error instanceof ProblemError && step.pointer !== null ? at(step.pointer, error) : error;
  }
}

const difference = ({ steps, unchanged }: Plan): ConfigurationDiff => ({
  changes: steps.map(({ kind, name, action, changes }) => ({ kind, name, action, changes: [...changes] })),
  unchanged,
});
