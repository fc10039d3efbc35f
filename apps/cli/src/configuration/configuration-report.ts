import type { ConfigurationDiff, ConfigurationResult } from '#lib/contracts';
import { configurationSections } from '#lib/contracts';
import { printable, type Colour } from '../terminal.js';
import type { Finding } from './sources.js';

type Paint = (colour: Colour, text: string) => string;

const signs = { create: ['+', 'green'], update: ['~', 'yellow'], delete: ['-', 'red'] } as const;
const nouns = Object.fromEntries(Object.values(configurationSections).map(({ kind, noun }) => [kind, noun]));
/** Longer values say little in a list of changes. */
const maxShown = 100;

/** What differs, an object a line, and below those that change what of them does. */
export function differenceReport({ changes, unchanged }: ConfigurationDiff, paint: Paint): string {
  const lines = changes.flatMap(({ kind, name, action, changes: members }) => {
    const [sign, colour] = signs[action];
    const head = paint(colour, `${sign} ${nouns[kind]} "${printable(name)}"`);
    if (action !== 'update') return [head];
    return [
      head,
      ...members.map(({ pointer, before, after }) => `    ${printable(pointer)}: ${shown(before)} → ${shown(after)}`),
    ];
  });
  const count = (wanted: string) => changes.filter(({ action }) => action === wanted).length;
  const total = `${count('create')} to create, ${count('update')} to update, ${count('delete')} to delete, ${unchanged} unchanged.`;
  return [...lines, ...(lines.length > 0 ? [''] : []), total, ''].join('\n');
}

function shown(value: unknown): string {
  const text = printable(JSON.stringify(value) ?? 'null');
  return text.length <= maxShown ? text : `${text.slice(0, maxShown)}…`;
}

/** What was made for objects that were given none; nobody shows it again. */
export function secretsReport({ secrets }: ConfigurationResult, paint: Paint): string {
  if (secrets.length === 0) return '';
  const lines = secrets.map(
    ({ kind, name, member, value }) => `  ${nouns[kind]} "${printable(name)}" ${member}: ${value}`,
  );
  return [paint('bold', 'Keep these now; they are not shown again:'), ...lines, ''].join('\n');
}

/** What is wrong, a line each: `file:line:column: problem`. */
export const findingsReport = (findings: readonly Finding[]): string =>
  findings.map(({ place, problem }) => `${place}: ${problem}\n`).join('');
