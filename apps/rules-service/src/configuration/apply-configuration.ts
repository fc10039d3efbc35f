import type {
  ConfigurationApplyBody,
  ConfigurationDiff,
  ConfigurationDiffBody,
  ConfigurationResult,
} from '#lib/contracts';
import type { Acting, Database } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import type { Plan, PlanConfiguration } from './plan-configuration.js';
import { at } from './plan-section.js';
import { Moved, type MadeSecret, type Step, type Work } from './step.js';

// Every repetition follows a change by somebody else.
const maxAttempts = 5;

/** Makes what there is what a configuration says: all of it in one transaction, or nothing. */
export class ApplyConfiguration {
  constructor(
    private readonly database: Pick<Database, 'administer'>,
    private readonly planConfiguration: Pick<PlanConfiguration, 'run'>,
  ) {}

  /** What an apply would change. @throws ProblemError for a configuration that cannot work */
  async diff(body: ConfigurationDiffBody, acting: Acting): Promise<ConfigurationDiff> {
    return difference(await this.planConfiguration.run({ ...body, acting }));
  }

  /**
   * Applies it. The plan is made of what there was a moment ago, and each step demands that its object is still as it was
   * then; where one is not, nothing stays and the plan is made again. `refuse` may throw for a plan that must not be done.
   *
   * @throws ProblemError for a configuration that cannot work, or that meets changes by others again and again
   */
  async run(
    { dryRun, ...body }: ConfigurationApplyBody,
    acting: Acting,
    refuse: (plan: Plan) => void = () => undefined,
  ): Promise<ConfigurationResult> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const plan = await this.planConfiguration.run({ ...body, acting });
      refuse(plan);
      try {
        const secrets = plan.steps.length === 0 ? [] : await this.execute(plan, acting, dryRun);
        return { ...difference(plan), dryRun, secrets };
      } catch (error) {
        if (!(error instanceof Moved)) throw error;
      }
    }
    throw new ProblemError(
      'busy',
      'Others change the configuration at the same time. Nothing was changed; try again.',
      {
        headers: { 'retry-after': '1' },
      },
    );
  }

  /** The secrets that were made; of a dry run none, for they are not kept. */
  private async execute({ steps, names }: Plan, acting: Acting, dryRun: boolean): Promise<MadeSecret[]> {
    try {
      return await this.database.administer(async (transaction) => {
        const work: Work = { acting: { ...acting, within: transaction }, names: names.copy(), secrets: [] };
        for (const step of steps) await make(step, work);
        if (dryRun) throw new TakenBack();
        return work.secrets;
      });
    } catch (error) {
      if (error instanceof TakenBack) return [];
      throw error;
    }
  }
}

/** Ends the transaction of a dry run. */
class TakenBack extends Error {
  override readonly name = 'TakenBack';
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
