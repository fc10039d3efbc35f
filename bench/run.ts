import { availableParallelism, cpus } from 'node:os';
import { runInterleaved } from './harness/rounds.js';
import { Stage } from './harness/stage.js';
import { summarize, type Conditions, type ScenarioResult } from './report/report.js';
import { approvals } from './scenarios/approvals.js';
import { pollsMutualTls, pollsPrivateKeyJwt } from './scenarios/client-authentication.js';
import { consume } from './scenarios/consume.js';
import { decisions } from './scenarios/decisions.js';
import { failover } from './scenarios/failover.js';
import { growth } from './scenarios/growth.js';
import { idle } from './scenarios/idle.js';
import { ingest } from './scenarios/ingest.js';
import { isolation } from './scenarios/isolation.js';
import { journey, quietJourney } from './scenarios/journey.js';
import { lists } from './scenarios/lists.js';
import { paced, pacedLarge, pacedSmall } from './scenarios/paced.js';
import { polls } from './scenarios/polls.js';
import { purge } from './scenarios/purge.js';
import { relay } from './scenarios/relay.js';
import { replicated } from './scenarios/replicas.js';
import type { Scenario } from './scenarios/scenario.js';
import { soak } from './scenarios/soak.js';
import { starts } from './scenarios/starts.js';

/** Every scenario, in the order of its worth. */
export const scenarios: readonly Scenario[] = [
  ingest,
  polls,
  pollsPrivateKeyJwt,
  pollsMutualTls,
  approvals,
  decisions,
  consume,
  journey,
  quietJourney,
  idle,
  paced,
  pacedSmall,
  pacedLarge,
  growth,
  replicated,
  relay,
  starts,
  failover,
  isolation,
  soak,
  lists,
  purge,
];

export interface BenchOptions {
  /** Names of scenarios; none: all. */
  readonly names: readonly string[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly profileTo: string | null;
  /** Part of a name of a contestant; others do not take part. */
  readonly only: string;
  readonly tell: (text: string) => void;
  /** Gets all that there is after each scenario: a run that is cut off loses no more than one. */
  readonly keep: (outcome: Outcome) => Promise<void>;
}

/** What has been measured so far. */
export interface Outcome {
  readonly results: readonly ScenarioResult[];
  readonly failures: readonly string[];
  readonly conditions: Omit<Conditions, 'command' | 'commit'>;
}

/** Those that take part: the named ones; else all but those that are too long for a quick run, or run on request only. */
const scenariosOf = ({ names, quick }: Pick<BenchOptions, 'names' | 'quick'>): readonly Scenario[] =>
  scenarios.filter(({ name, onRequest, notQuick }) =>
    names.length === 0 ? onRequest !== true && !(quick && notQuick === true) : names.includes(name),
  );

/** A stage with its servers begins and ends, in s. */
const stageSeconds = 9;

/** How long a run will take on two quiet cores, in s; in a quick one everything is about a third as long. */
export function estimatedSeconds(options: Pick<BenchOptions, 'names' | 'rounds' | 'quick'>): number {
  const share = options.quick ? 0.4 : 1;
  const all = scenariosOf(options).map(({ takes, atMostRounds = options.rounds }) => {
    const rounds = Math.min(options.rounds, atMostRounds) + 1;
    return stageSeconds + (takes.prepare + takes.round * rounds) * share;
  });
  return all.reduce((sum, one) => sum + one, 0);
}

/** Runs scenarios one after the other, each on servers of its own; one that fails does not keep the others from running. */
export async function runBench(options: BenchOptions): Promise<Outcome> {
  const { rounds, quick, profileTo, only, tell, keep } = options;
  const results: ScenarioResult[] = [];
  const failures: string[] = [];
  const conditions = {
    date: new Date().toISOString().slice(0, 10),
    rounds,
    quick,
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    node: process.versions.node,
  };
  let versions = { postgres: '', rabbitmq: '' };
  const outcome = (): Outcome => ({ results, failures, conditions: { ...conditions, ...versions } });
  for (const scenario of scenariosOf(options)) {
    const startedAt = performance.now();
    tell(`${scenario.title}: starting`);
    const stage = await Stage.open({ quick, profileTo });
    try {
      versions = await stage.versions();
      const prepared = await scenario.prepare(stage);
      const preparedAt = performance.now();
      const contestants = prepared.filter(({ name }) => name.includes(only));
      const roundsHere = Math.min(rounds, scenario.atMostRounds ?? rounds);
      const series = await runInterleaved(contestants, {
        rounds: roundsHere,
        quick,
        cores: availableParallelism(),
        ownMicros: () => stage.ownMicros(),
        warmedUp: () => stage.analyze(),
        tell: (text) => tell(`${scenario.title}, ${text}`),
      });
      const took = {
        prepare: Math.round((preparedAt - startedAt) / 1000),
        round: Math.round((performance.now() - preparedAt) / 1000 / (roundsHere + 1)),
      };
      results.push({ ...summarize(scenario, series), took });
      tell(`${scenario.title}: ${took.prepare} s to prepare, ${took.round} s a round`);
      for (const contestant of contestants) await contestant.stop?.();
    } catch (error) {
      // The others are worth measuring all the same.
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      // What is published names no paths of this machine.
      failures.push(`${scenario.name}: ${message}`);
      tell(`${scenario.title}: failed: ${stack ?? message}`);
    } finally {
      await stage.stop();
    }
    await keep(outcome());
  }
  return outcome();
}
