import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { referencesIn, resolveReferences, type ConfigurationReference } from '#lib/contracts';
import { printable, type Surroundings } from '../terminal.js';
import type { Finding, Source } from './sources.js';

/** Largest file that a reference may name, in bytes. */
const maxBytes = 1_048_576;

/**
 * Puts in what the references of a source stand for: variables of the environment, and files, whose paths begin at the
 * folder of the source. One line break at the end of a file is none of its content.
 */
export async function resolveSource(
  source: Source,
  env: Surroundings['env'],
): Promise<{ source: Source; findings: Finding[] }> {
  const findings: Finding[] = [];
  const resolved = await resolveValue(source.value, [], {
    read: (reference) => contentOf(reference, source.folder, env),
    report: (path, problem) => findings.push({ place: source.placeOf(path), problem }),
  });
  return { source: { ...source, value: resolved }, findings };
}

interface Resolving {
  readonly read: (reference: ConfigurationReference) => Promise<string | Unresolved>;
  readonly report: (path: readonly PropertyKey[], problem: string) => void;
}

/** Why a reference stands for nothing. */
class Unresolved {
  constructor(readonly problem: string) {}
}

async function resolveValue(value: unknown, path: readonly PropertyKey[], resolving: Resolving): Promise<unknown> {
  if (typeof value === 'string') return resolveText(value, path, resolving);
  if (Array.isArray(value)) {
    const entries: unknown[] = [];
    for (const [index, entry] of value.entries()) entries.push(await resolveValue(entry, [...path, index], resolving));
    return entries;
  }
  if (typeof value !== 'object' || value === null) return value;
  const members: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    members.push([name, await resolveValue(member, [...path, name], resolving)]);
  }
  return Object.fromEntries(members);
}

async function resolveText(text: string, path: readonly PropertyKey[], { read, report }: Resolving): Promise<string> {
  const contents = new Map<string, string>();
  for (const reference of referencesIn(text)) {
    const content = await read(reference);
    if (content instanceof Unresolved) report(path, content.problem);
    else contents.set(keyOf(reference), content);
  }
  return resolveReferences(text, (reference) => contents.get(keyOf(reference)) ?? '');
}

const keyOf = ({ kind, target }: ConfigurationReference): string => `${kind}:${target}`;

async function contentOf(
  { kind, target }: ConfigurationReference,
  folder: string,
  env: Surroundings['env'],
): Promise<string | Unresolved> {
  if (kind === 'env') {
    const value = env[target];
    // An empty variable counts as absent, as everywhere in Assent.
    return value || new Unresolved(`The variable ${printable(target)} is not set.`);
  }
  const path = isAbsolute(target) ? target : join(folder, target);
  const size = (await stat(path).catch(() => null))?.size ?? null;
  if (size === null) return new Unresolved(`The file ${printable(path)} cannot be read.`);
  if (size > maxBytes) return new Unresolved(`The file ${printable(path)} is larger than 1 MiB.`);
  const bytes = await readFile(path).catch(() => null);
  if (bytes === null) return new Unresolved(`The file ${printable(path)} cannot be read.`);
  return kind === 'base64' ? bytes.toString('base64') : bytes.toString('utf8').replace(/\r?\n$/, '');
}
