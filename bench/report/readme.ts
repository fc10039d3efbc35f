import { short, type Conditions, type ScenarioResult } from './report.js';

const begin = '<!-- benchmark: written by `npm run bench -- --evidence` -->';
const end = '<!-- end -->';

/** A README with the table of a run between its marks, and nothing else changed. @throws Error when the marks are not there. */
export function withResults(readme: string, conditions: Conditions, results: readonly ScenarioResult[]): string {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error('README.md has no place for the benchmark.');
  return `${readme.slice(0, from + begin.length)}\n\n${tableOf(conditions, results)}\n${readme.slice(to)}`;
}

function tableOf({ date, cores, rounds }: Conditions, results: readonly ScenarioResult[]): string {
  const rows = results.flatMap(({ title, unit, contestants, rateIsSet }) => {
    const assent = contestants.find(({ kind }) => kind === 'assent');
    if (assent === undefined || rateIsSet) return [];
    const besides = (kind: 'limit' | 'peer') => {
      const ratios = contestants.filter((one) => one.kind === kind).map(({ rate }) => assent.rate.median / rate.median);
      if (ratios.length === 0) return '–';
      const [least, most] = [short(Math.min(...ratios)), short(Math.max(...ratios))];
      return least === most ? `${least} ×` : `${least}–${most} ×`;
    };
    return [`| ${title} | ${short(assent.rate.median)} ${unit}/s | ${besides('limit')} | ${besides('peer')} |`];
  });
  return [
    '| hop | Assent | of the least that it can cost | of what one would build instead |',
    '|---|--:|--:|--:|',
    ...rows,
    '',
    `On ${cores} cores, database, broker, provider and load included; medians of ${rounds} rounds on ${date}.`,
    `[All of it](docs/evidence/bench-${date}.md), [how to read it](docs/performance.md).`,
    '',
    `![How many times as fast](docs/evidence/bench-${date}.svg)`,
    '',
  ].join('\n');
}
