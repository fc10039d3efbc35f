import { short, type ScenarioResult } from './report.js';

const width = 860;
const left = 330;
const right = 70;
const rowHeight = 22;
const titleHeight = 34;
/** The scale goes from a tenth to a thousand times. */
const decades = { from: -1, to: 3 };

const colours = { limit: '#8a94a6', peer: '#3b6fd4' } as const;

/**
 * How many times as fast Assent is as each of the others, as an SVG on a logarithmic scale; left of the line at 1 somebody
 * else is faster. Scenarios without others have no rows.
 */
export function plotOf(results: readonly ScenarioResult[]): string {
  const rows: string[] = [];
  let y = 40;
  for (const { title, contestants, rateIsSet } of results) {
    if (rateIsSet) continue;
    const assent = contestants.find(({ kind }) => kind === 'assent');
    const others = contestants.filter(({ kind }) => kind !== 'assent');
    if (assent === undefined || others.length === 0) continue;
    y += titleHeight;
    rows.push(`<text x="8" y="${y - 10}" font-weight="600">${escaped(title)}</text>`);
    for (const { name, kind, rate } of others) {
      const ratio = assent.rate.median / rate.median;
      rows.push(bar({ y, name, ratio, colour: kind === 'limit' ? colours.limit : colours.peer }));
      y += rowHeight;
    }
  }
  const height = y + 16;
  const grid = [-1, 0, 1, 2, 3].map((power) => gridLine(power, height)).join('');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>How many times as fast Assent is as the least that a hop can cost (grey) and as its peers (blue)</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    grid,
    ...rows,
    '</svg>\n',
  ].join('\n');
}

const xOf = (ratio: number): number => {
  const power = Math.min(decades.to, Math.max(decades.from, Math.log10(ratio)));
  return left + ((power - decades.from) / (decades.to - decades.from)) * (width - left - right);
};

function bar({ y, name, ratio, colour }: { y: number; name: string; ratio: number; colour: string }): string {
  const [from, to] = [Math.min(xOf(1), xOf(ratio)), Math.max(xOf(1), xOf(ratio))];
  return [
    `<text x="${left - 10}" y="${y + 13}" text-anchor="end" fill="#333333">${escaped(name)}</text>`,
    `<rect x="${from.toFixed(1)}" y="${y + 3}" width="${Math.max(1, to - from).toFixed(1)}" height="13" rx="2" fill="${colour}"/>`,
    `<text x="${(to + 6).toFixed(1)}" y="${y + 14}" fill="#333333">${short(ratio)} ×</text>`,
  ].join('');
}

function gridLine(power: number, height: number): string {
  const x = xOf(10 ** power).toFixed(1);
  const stroke = power === 0 ? '#333333' : '#dddddd';
  return `<line x1="${x}" y1="28" x2="${x}" y2="${height - 8}" stroke="${stroke}"/><text x="${x}" y="20" text-anchor="middle" fill="#666666">${10 ** power} ×</text>`;
}

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
