import type { ProviderCheck } from '#lib/contracts';
import { judgeProvider, type ProviderDoctor, type RuleToExamine } from '#lib/ciba';
import { MissingRow, type Database, type RuleRow, type TokenProviderRow } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { Injectable } from '@nestjs/common';

const maximumRules = 50;

/** Looks at a provider and its rules now, notes what was found, and says what to do. */
@Injectable()
export class CheckTokenProvider {
  constructor(
    private readonly database: Pick<Database, 'tokenProviders' | 'rules' | 'registrations'>,
    private readonly doctor: Pick<ProviderDoctor, 'examine'>,
  ) {}

  /** @throws ProblemError `not_found` */
  async run(id: string): Promise<ProviderCheck> {
    const provider = await this.database.tokenProviders.find(id);
    if (provider === null) throw new ProblemError('not_found', 'There is no such token provider.');
    const rules = await this.database.rules.ofTokenProvider(id, maximumRules + 1);
    const examined = await Promise.all(rules.slice(0, maximumRules).map((rule) => this.ruleToExamine(rule)));
    const facts = await this.doctor.examine(provider, examined, rules.length > maximumRules);
    const checkedAt = new Date();
    await this.database.tokenProviders.recordDiscovery(id, {
      state: facts.problem === null ? fineStateOf(provider) : 'failed',
      checkedAt,
      problem: facts.problem,
    });
    const findings = judgeProvider(facts, checkedAt);
    const ok = findings.every(({ severity }) => severity !== 'error');
    return { checkedAt: checkedAt.toISOString(), ok, findings };
  }

  private async ruleToExamine({ id, version, definition }: RuleRow): Promise<RuleToExamine> {
    const { name, deliveryMode, scopes, acrValues, requestedExpirySeconds } = definition;
    return {
      id,
      name,
      asks: { deliveryMode, scopes, acrValues, requestedExpirySeconds },
      registration: await this.registrationOf({ id, version }),
    };
  }

  private async registrationOf(rule: { id: string; version: number }): Promise<RuleToExamine['registration']> {
    try {
      return await this.database.registrations.load(rule);
    } catch (error) {
      if (error instanceof MissingRow) return null;
      throw error;
    }
  }
}

const fineStateOf = ({ metadata }: TokenProviderRow) => (metadata === null ? 'ok' : 'explicit');
