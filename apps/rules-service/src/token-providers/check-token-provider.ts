import type { ProviderCheck, ProviderFinding } from '#lib/contracts';
import { judgeProvider, type ProviderDoctor, type RuleToExamine } from '#lib/ciba';
import {
  MissingRow,
  type ClientRefusalAlert,
  type Database,
  type RuleRow,
  type TokenProviderRow,
} from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { Injectable } from '@nestjs/common';

const maximumRules = 50;

/** Looks at a provider and its rules now, notes what was found, and says what to do. */
@Injectable()
export class CheckTokenProvider {
  constructor(
    private readonly database: Pick<Database, 'tokenProviders' | 'rules' | 'registrations' | 'clientRefusals'>,
    private readonly doctor: Pick<ProviderDoctor, 'examine'>,
  ) {}

  /** @throws ProblemError `not_found` */
  async run(id: string): Promise<ProviderCheck> {
    const provider = await this.database.tokenProviders.find(id);
    if (provider === null) throw new ProblemError('not_found', 'There is no such token provider.');
    const rules = await this.database.rules.ofTokenProvider(id, maximumRules + 1);
    const refusals = await this.database.clientRefusals.ofTokenProviders([id]);
    const examined = await Promise.all(rules.slice(0, maximumRules).map((rule) => this.ruleToExamine(rule, refusals)));
    const facts = await this.doctor.examine(provider, examined, rules.length > maximumRules);
    const checkedAt = new Date();
    await this.database.tokenProviders.recordDiscovery(id, {
      state: facts.problem === null ? fineStateOf(provider) : 'failed',
      checkedAt,
      problem: facts.problem,
    });
    const findings = judgeProvider(facts, checkedAt);
    await this.liftAccepted(rules, findings);
    const ok = findings.every(({ severity }) => severity !== 'error');
    return { checkedAt: checkedAt.toISOString(), ok, findings };
  }

  /** Whoever asks for a check wants calls to go on as soon as the provider takes the client again. */
  private async liftAccepted(rules: readonly RuleRow[], findings: readonly ProviderFinding[]): Promise<void> {
    const accepted = new Set(
      findings.flatMap(({ code, rule }) => (code === 'client_accepted' && rule ? [rule.id] : [])),
    );
    for (const { id, version } of rules) {
      if (accepted.has(id)) await this.database.clientRefusals.lift({ id, version });
    }
  }

  private async ruleToExamine(
    { id, version, definition }: RuleRow,
    refusals: readonly ClientRefusalAlert[],
  ): Promise<RuleToExamine> {
    const { name, deliveryMode, scopes, acrValues, requestedExpirySeconds, authorizationDetails } = definition;
    // A type that an attribute fills is known with the request only.
    const types = (authorizationDetails ?? []).map(({ type }) => type).filter((type) => !type.includes('{{'));
    return {
      id,
      name,
      asks: { deliveryMode, scopes, acrValues, detailTypes: [...new Set(types)], requestedExpirySeconds },
      registration: await this.registrationOf({ id, version }),
      refusals: refusals.filter(({ rule }) => rule.id === id),
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
