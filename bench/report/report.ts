import type { Series } from '../harness/rounds.js';
import { spreadOf, type Spread } from '../harness/statistics.js';
import { costOf, rateOf } from '../scenarios/compare.js';
import type { Scenario, Target } from '../scenarios/scenario.js';

/** Where and how a run was made. */
export interface Conditions {
  readonly command: string;
  readonly commit: string;
  readonly date: string;
  readonly rounds: number;
  readonly quick: boolean;
  readonly cores: number;
  readonly processor: string;
  readonly node: string;
  readonly postgres: string;
  readonly rabbitmq: string;
}

/** All that came out of one scenario. */
export interface ScenarioResult {
  readonly name: string;
  readonly ids: readonly string[];
  readonly title: string;
  readonly unit: string;
  readonly says: string;
  readonly contestants: readonly ContestantResult[];
  readonly targets: readonly Target[];
  readonly rateIsSet: boolean;
  /** How long it took, in s. */
  readonly took?: Scenario['takes'];
}

interface ContestantResult {
  readonly name: string;
  readonly kind: Series['kind'];
  /** Operations a second. */
  readonly rate: Spread;
  /** Processor time of all roles for one operation, in µs. */
  readonly cost: Spread;
  /** The same by role; medians. */
  readonly costByRole: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, Spread>>;
  /** The share of the machine that others used, at most. */
  readonly foreignShare: number;
}

/** Sums up what was measured. */
export function summarize(scenario: Scenario, series: readonly Series[]): ScenarioResult {
  const { name, ids, title, unit, says } = scenario;
  const targets = scenario.targets(series);
  const rateIsSet = scenario.rateIsSet ?? false;
  return { name, ids, title, unit, says, rateIsSet, contestants: series.map(summarizeOne), targets };
}

function summarizeOne({ name, kind, samples }: Series): ContestantResult {
  const keys = (of: (sample: (typeof samples)[number]) => object) => [
    ...new Set(samples.flatMap((s) => Object.keys(of(s)))),
  ];
  const roles = keys(({ micros }) => micros);
  const figures = keys((sample) => sample.figures ?? {});
  return {
    name,
    kind,
    rate: spreadOf(samples.map(rateOf)),
    cost: spreadOf(samples.map(costOf)),
    costByRole: Object.fromEntries(
      roles.map((role) => [
        role,
        spreadOf(samples.map(({ micros, operations }) => (micros[role] ?? 0) / operations)).median,
      ]),
    ),
    figures: Object.fromEntries(
      figures.map((figure) => [figure, spreadOf(samples.map((sample) => sample.figures?.[figure] ?? NaN))]),
    ),
    foreignShare: Math.max(...samples.map((sample) => sample.foreignShare)),
  };
}

/** A run as a page of Markdown: the ratios first, then what they were made of; what failed is named. */
export function markdownOf(
  conditions: Conditions,
  results: readonly ScenarioResult[],
  failures: readonly string[] = [],
): string {
  const { command, commit, date, rounds, cores, processor, node, postgres, rabbitmq, quick } = conditions;
  const lines = [
    `# Benchmark of ${date}`,
    '',
    ...(quick ? ['**A quick run: short, and good for development only.**', ''] : []),
    `\`${command}\`, commit ${commit}; ${rounds} rounds, everybody in turn; medians, with the range in brackets.`,
    `${cores} cores (${processor}), Node.js ${node}, PostgreSQL ${postgres}, RabbitMQ ${rabbitmq}; all on one machine, over loopback.`,
    'Ratios compare Assent with the others: a rate above 1 is faster, processor time below 1 is cheaper.',
    '',
    '## Targets',
    '',
    '| | what | Assent must reach | measured | |',
    '|---|---|---|--:|---|',
    ...results.flatMap((result) => result.targets.map((target) => targetRow(result, target))),
    '',
    ...(failures.length === 0 ? [] : ['## Not measured', '', ...failures.map(failureLine), '']),
    ...results.flatMap(sectionOf),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** The first line says what it was; the rest is for who mends it. */
const failureLine = (failure: string): string => `- ${failure.split('\n', 1)[0]!}`;

const targetRow = ({ ids, title }: ScenarioResult, { text, measured, reached }: Target): string =>
  `| ${ids.join(', ')} | ${title} | ${text} | ${measured === null ? '–' : short(measured)} | ${measured === null ? 'not run' : reached ? 'reached' : '**missed**'} |`;

function sectionOf({ ids, title, says, unit, rateIsSet, contestants }: ScenarioResult): string[] {
  const assent = contestants.find(({ kind }) => kind === 'assent');
  const roles = [...new Set(contestants.flatMap(({ costByRole }) => Object.keys(costByRole)))];
  const figures = [...new Set(contestants.flatMap((one) => Object.keys(one.figures)))];
  const head = [
    '',
    'rate ×',
    'processor time ×',
    `${unit}/s`,
    'µs',
    ...roles.map((role) => `${role} µs`),
    ...figures,
    'others',
  ];
  return [
    `## ${ids.join(', ')} ${title}`,
    '',
    `${says[0]!.toUpperCase()}${says.slice(1)}.`,
    '',
    `| ${head.join(' | ')} |`,
    `|---|${head
      .slice(1)
      .map(() => '--:|')
      .join('')}`,
    ...contestants.map((one) => {
      const ours = one === assent;
      const cells = [
        ours ? `**${one.name}**` : one.name,
        ours || !assent || rateIsSet ? '' : short(assent.rate.median / one.rate.median),
        ours || !assent ? '' : short(assent.cost.median / one.cost.median),
        spread(one.rate),
        spread(one.cost),
        ...roles.map((role) => short(one.costByRole[role] ?? 0)),
        ...figures.map((figure) => (one.figures[figure] ? spread(one.figures[figure]) : '–')),
        `${Math.round(one.foreignShare * 100)} %`,
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
  ];
}

const spread = ({ median, least, most }: Spread): string => `${short(median)} (${short(least)}–${short(most)})`;

/** Three digits that count; thousands with a comma. */
export function short(number: number): string {
  if (!Number.isFinite(number)) return '–';
  if (Math.abs(number) >= 1000) return Math.round(Number(number.toPrecision(3))).toLocaleString('en-GB');
  return String(Number(number.toPrecision(3)));
}
