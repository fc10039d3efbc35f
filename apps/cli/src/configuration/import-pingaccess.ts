import {
  configurationSections,
  relevantSections,
  type PingAccessImport,
  type PingAccessImportItem,
} from '#lib/contracts';
import type { AssentApi } from '../assent-api.js';
import { readText } from '../read-text.js';
import {
  CommandProblem,
  exitCodes,
  painter,
  printable,
  type Colour,
  type ExitCode,
  type Surroundings,
} from '../terminal.js';
import { resolveSource } from './resolve-source.js';

/** What `assent import pingaccess` was asked to do. */
export interface ImportWish {
  readonly file: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly ruleClass: string | null;
  readonly incomplete: 'refuse' | 'leave-out';
  readonly dryRun: boolean;
  readonly json: boolean;
}

/**
 * Reads what was typed after `import`.
 *
 * @throws CommandProblem
 */
export function importWish(
  [from, file, ...others]: readonly string[],
  flags: {
    readonly input?: readonly string[] | undefined;
    readonly 'rule-class'?: string | undefined;
    readonly 'leave-out-incomplete'?: boolean;
    readonly 'dry-run'?: boolean;
    readonly json: boolean;
  },
): ImportWish {
  if (from !== 'pingaccess' || file === undefined || others.length > 0) {
    throw new CommandProblem('It is import pingaccess <file>.');
  }
  return {
    file,
    inputs: Object.fromEntries((flags.input ?? []).map(inputOf)),
    ruleClass: flags['rule-class'] ?? null,
    incomplete: flags['leave-out-incomplete'] === true ? 'leave-out' : 'refuse',
    dryRun: flags['dry-run'] === true,
    json: flags.json,
  };
}

function inputOf(text: string): [string, string] {
  const [, key, value] = /^([^=]+)=([\s\S]*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new CommandProblem('An input is <key>=<value>.');
  return [key, value];
}

/**
 * Shows what an export of PingAccess becomes, and imports it: all of it or nothing.
 *
 * @throws CommandProblem when it could not be asked, or is refused
 */
export async function importPingAccess(wish: ImportWish, api: AssentApi, at: Surroundings): Promise<ExitCode> {
  const { dryRun, incomplete, ruleClass } = wish;
  const { data, ignored } = relevantSections(await exportIn(wish.file));
  const inputs = await resolvedInputs(wish.inputs, at.env);
  const body = { export: { data }, inputs, ruleClass, incomplete };
  // The table first: a call that is refused for missing input does not tell it.
  const looked = await api.importPingAccess({ ...body, dryRun: true });
  const missing = looked.result === null;
  const done = dryRun || missing ? looked : await api.importPingAccess({ ...body, dryRun: false });
  const whole = { ...done, ignored: [...done.ignored, ...ignored] };
  at.out.write(wish.json ? `${JSON.stringify(whole, null, 2)}\n` : report(whole, wish, at));
  if (missing) return dryRun ? exitCodes.foundErrors : exitCodes.broken;
  return exitCodes.fine;
}

async function exportIn(file: string): Promise<unknown> {
  const text = await readText(file);
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandProblem(`${printable(file)} is not JSON: it should be an export of PingAccess (pa-data-….json).`);
  }
}

/** What is given may stand somewhere else: in the environment, in a file. */
async function resolvedInputs(inputs: ImportWish['inputs'], env: Surroundings['env']): Promise<Record<string, string>> {
  const source = {
    name: '--input',
    folder: '.',
    value: inputs,
    placeOf: (path: readonly PropertyKey[]) => String(path[0]),
  };
  const resolved = await resolveSource(source, env);
  const [first] = resolved.findings;
  if (first !== undefined) throw new CommandProblem(`${printable(first.place)}: ${first.problem}`);
  return resolved.source.value as Record<string, string>;
}

const outcomeColours: Readonly<Record<PingAccessImportItem['outcome'], Colour>> = {
  create: 'green',
  exists: 'dim',
  skip: 'dim',
  'needs-input': 'yellow',
};
const nouns = Object.fromEntries(Object.values(configurationSections).map(({ kind, noun }) => [kind, noun]));

function report(done: PingAccessImport, { dryRun, incomplete }: ImportWish, { out, env }: Surroundings): string {
  const paint = painter(out, env);
  const lines = done.items.flatMap(({ kind, name, outcome, notes, needs }) => [
    `${paint(outcomeColours[outcome], outcome.padEnd(12))} ${nouns[kind]!.padEnd(18)} ${printable(name)}`,
    ...notes.map((note) => `             ${printable(note)}`),
    ...needs.map(({ key, what }) => `             --input '${printable(key)}=…'  ${printable(what)}`),
  ]);
  const others = done.ignored.map(({ section, objects }) => `${printable(section)} (${objects})`);
  const ignored = others.length === 0 ? [] : ['', `Not for Assent: ${others.join(', ')}.`];
  return [...lines, ...ignored, '', endOf(done, dryRun, incomplete), ''].join('\n');
}

function endOf({ items, result }: PingAccessImport, dryRun: boolean, incomplete: ImportWish['incomplete']): string {
  const count = items.filter(({ outcome }) => outcome === 'needs-input').length;
  if (result === null) {
    return `Nothing was imported: ${count} objects need input. Give it, or leave them out with --leave-out-incomplete.`;
  }
  const left = count > 0 && incomplete === 'leave-out' ? ` ${count} left out.` : '';
  const made = `${result.changes.length} objects`;
  return dryRun ? `Nothing was changed: this was a dry run. It would make ${made}.${left}` : `Imported ${made}.${left}`;
}
