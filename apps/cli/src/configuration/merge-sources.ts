import { configuration, configurationSections, referencesIn, type ConfigurationSection } from '#lib/contracts';
import { printable } from '../terminal.js';
import type { Finding, Source } from './sources.js';

/** What several sources say together. */
export interface Merged {
  /** As the API takes it. */
  readonly configuration: Readonly<Record<string, readonly unknown[]>>;
  /** Where in the sources stands what is at this JSON pointer into the configuration; null: nowhere. */
  readonly placeOf: (pointer: string) => string | null;
}

const sections = Object.keys(configurationSections) as ConfigurationSection[];

/**
 * Checks sources, each by itself and then together, and joins their sections in order. With `asWritten` what is a
 * reference is not judged: nobody has put in yet what it stands for.
 */
export function mergeSources(
  sources: readonly Source[],
  { asWritten }: { readonly asWritten: boolean },
): { merged: Merged; findings: Finding[] } {
  const findings = sources.flatMap((source) => findingsIn(source, asWritten));
  const origins: Partial<Record<ConfigurationSection, { source: Source; index: number; value: unknown }[]>> = {};
  for (const source of sources) {
    for (const section of sections) {
      const entries = membersOf(source.value)[section];
      if (!Array.isArray(entries)) continue;
      const known = (origins[section] ??= []);
      known.push(...entries.map((value: unknown, index) => ({ source, index, value })));
    }
  }
  for (const section of sections) findings.push(...repetitions(section, origins[section] ?? []));
  const placeOf = (pointer: string): string | null => {
    const [section, index, ...rest] = pathOf(pointer);
    const origin = origins[section as ConfigurationSection]?.[Number(index)];
    return origin === undefined ? null : origin.source.placeOf([section!, origin.index, ...rest]);
  };
  const joined = Object.entries(origins).map(([section, entries]) => [section, entries.map(({ value }) => value)]);
  return { merged: { configuration: Object.fromEntries(joined) as Merged['configuration'], placeOf }, findings };
}

function findingsIn(source: Source, asWritten: boolean): Finding[] {
  const checked = configuration.safeParse(source.value);
  const findings: Finding[] = [];
  for (const { path, message, ...issue } of checked.error?.issues ?? []) {
    if (asWritten && holdsReference(source.value, path)) continue;
    const [unknown] = issue.code === 'unrecognized_keys' ? issue.keys : [];
    const place = source.placeOf(unknown === undefined ? path : [...path, unknown]);
    findings.push({ place, problem: `${printable(path.map(String).join('.')) || 'the file'}: ${printable(message)}` });
  }
  return findings;
}

function holdsReference(value: unknown, path: readonly PropertyKey[]): boolean {
  const found = path.reduce<unknown>((inner, key) => membersOf(inner)[key as string], value);
  return typeof found === 'string' && referencesIn(found).length > 0;
}

function repetitions(
  section: ConfigurationSection,
  entries: readonly { readonly source: Source; readonly index: number; readonly value: unknown }[],
): Finding[] {
  const { noun, nameMember } = configurationSections[section];
  const first = new Map<unknown, string>();
  return entries.flatMap(({ source, index, value }) => {
    const name = membersOf(value)[nameMember];
    const place = source.placeOf([section, index, nameMember]);
    const earlier = first.get(name);
    if (typeof name !== 'string' || earlier === undefined) {
      first.set(name, place);
      return [];
    }
    return [{ place, problem: `There is a ${noun} "${printable(name)}" already: ${earlier}.` }];
  });
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** The segments of a JSON pointer (RFC 6901). */
const pathOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
