import { availableParallelism, cpus } from 'node:os';
import { runInterleaved } from './harness/rounds.js';
import { Stage } from './harness/stage.js';
import { summarize, type Conditions, type ScenarioResult } from './report/report.js';
import { consume } from './scenarios/consume.js';
import { decisions } from './scenarios/decisions.js';
import { idle } from './scenarios/idle.js';
import { ingest } from './scenarios/ingest.js';
import { journey } from './scenarios/journey.js';
import { paced } from './scenarios/paced.js';
import { polls } from './scenarios/polls.js';
import type { Scenario } from './scenarios/scenario.js';

/** Every scenario, in the order of its worth. */
export const scenarios: readonly Scenario[] = [ingest, polls, decisions, consume, journey, idle, paced];

export interface BenchOptions {
  /** Names of scenarios; none: all. */
  readonly names: readonly string[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly profileTo: string | null;
  /** Part of a name of a contestant; others do not take part. */
  readonly only: string;
  readonly tell: (text: string) => void;
}

/** Runs scenarios one after the other, each on servers of its own. */
export async function runBench(
  options: BenchOptions,
): Promise<{ results: ScenarioResult[]; failures: string[]; conditions: Omit<Conditions, 'command' | 'commit'> }> {
  const { names, rounds, quick, profileTo, only, tell } = options;
  const results: ScenarioResult[] = [];
  const failures: string[] = [];
  let versions = { postgres: '', rabbitmq: '' };
  for (const scenario of scenarios.filter(({ name }) => names.length === 0 || names.includes(name))) {
    tell(`${scenario.title}: starting`);
    const stage = await Stage.open({ quick, profileTo });
    try {
      versions = await stage.versions();
      const contestants = (await scenario.prepare(stage)).filter(({ name }) => name.includes(only));
      const series = await runInterleaved(contestants, {
        rounds,
        quick,
        cores: availableParallelism(),
        ownMicros: () => stage.ownMicros(),
        tell: (text) => tell(`${scenario.title}, ${text}`),
      });
      results.push(summarize(scenario, series));
      for (const contestant of contestants) await contestant.stop?.();
    } catch (error) {
      // The others are worth measuring all the same.
      failures.push(`${scenario.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      tell(`${scenario.title}: failed`);
    } finally {
      await stage.stop();
    }
  }
  const conditions = {
    date: new Date().toISOString().slice(0, 10),
    rounds,
    quick,
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    node: process.versions.node,
    ...versions,
  };
  return { results, failures, conditions };
}
