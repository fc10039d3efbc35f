import { deliveryPoints } from './delivery-points.js';
import { cellsOf, ends, type ProviderAnswer } from './poller-cells.js';
import { startCellsOf, startEnds, type StartAnswer } from './worker-cells.js';

const answers: readonly ProviderAnswer[] = ['approve', 'deny', 'expired', 'invalid-grant', 'pending', 'lost'];
const startAnswers: readonly StartAnswer[] = ['acknowledge', 'refuse', 'deny', 'other-text', 'not-now', 'lost'];

/** What the provider would have said, by the point at which the poller was killed, and the end. */
export function pollerTable(): string {
  const rows = Object.entries(ends).map(([point, row]) => {
    const byAnswer = new Map(cellsOf(row));
    return [point, ...answers.map((answer) => quoted(byAnswer.get(answer)))];
  });
  return markdown(['killed at', ...answers], rows);
}

/** What the provider said to the start call, by the point at which the worker was killed: ends, and prompts. */
export function workerTable(): string {
  const rows = Object.entries(startEnds).map(([point, row]) => [
    point,
    ...startAnswers.map((answer) => {
      const texts = startCellsOf(row)
        .filter((cell) => cell.answer === answer)
        .map(({ end: [end, prompts] }) => `${quoted(end)} ${prompts}`);
      return [...new Set(texts)].join(', ');
    }),
  ]);
  return markdown(['killed at', ...startAnswers], rows);
}

/** How often a decision is told of when the decision service was killed at a point. */
export function deliveryTable(): string {
  const rows = Object.entries(deliveryPoints).map(([point, { arrives }]) => {
    const times = (what: 'deliveries' | 'events') =>
      `${arrives.exactly === what ? '' : 'at least '}${['never', 'once', 'twice'][arrives[what]]}`;
    return [point, times('deliveries'), times('events')];
  });
  return markdown(['killed at', 'callback', 'event'], rows);
}

const quoted = (text: string | undefined) => (text === undefined ? '' : `\`${text}\``);

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
