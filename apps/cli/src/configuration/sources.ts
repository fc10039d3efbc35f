import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type ParsedNode } from 'yaml';
import { readText, unreadable } from '../read-text.js';
import { CommandProblem, printable, type Surroundings } from '../terminal.js';

/** One YAML document: where it came from, what it says, and where in the text what stands. */
export interface Source {
  /** As it is named in messages: the path, or `stdin`. */
  readonly name: string;
  /** Where paths in it begin. */
  readonly folder: string;
  readonly value: unknown;
  /** `name:line:column` of what is at this path, or of the nearest thing around it. */
  readonly placeOf: (path: readonly PropertyKey[]) => string;
}

/** Something that is wrong, and where. */
export interface Finding {
  readonly place: string;
  readonly problem: string;
}

/** More than anybody means to put into one repository of configuration. */
const maxFiles = 1000;
/** What a text may multiply by aliases (a document of a few lines can otherwise grow without end). */
const maxAliasCount = 100;

/**
 * Reads files, every YAML and JSON file of folders, and what is piped in (`-`).
 *
 * @throws CommandProblem for what cannot be read at all
 */
export async function readSources(
  paths: readonly string[],
  { input }: Pick<Surroundings, 'input'>,
): Promise<{ sources: Source[]; findings: Finding[] }> {
  const all = { sources: [] as Source[], findings: [] as Finding[] };
  for (const path of paths) {
    if (path === '-') {
      const { sources, findings } = parseSources(await textOf(input), 'stdin', '.');
      all.sources.push(...sources);
      all.findings.push(...findings);
      continue;
    }
    for (const file of await filesIn(path)) {
      const text = await readText(file);
      const { sources, findings } = parseSources(text, file, dirname(file));
      all.sources.push(...sources);
      all.findings.push(...findings);
    }
  }
  return all;
}

async function textOf(input: NodeJS.ReadableStream | undefined): Promise<string> {
  if (input === undefined) throw new CommandProblem('There is nothing to read: pipe a configuration in.');
  let text = '';
  for await (const part of input) text += String(part);
  return text;
}

async function filesIn(path: string): Promise<string[]> {
  const kind = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error);
  });
  if (!kind.isDirectory()) return [path];
  const found = (await readdir(path, { recursive: true }))
    .filter((name) => /\.(ya?ml|json)$/i.test(name) && !/(^|[\\/])\./.test(name))
    .sort()
    .map((name) => join(path, name));
  if (found.length === 0) throw new CommandProblem(`There is no YAML or JSON file in ${printable(path)}.`);
  if (found.length > maxFiles) throw new CommandProblem(`There are more than ${maxFiles} files in ${printable(path)}.`);
  return found;
}

/** The documents of a text; an empty one is none. */
function parseSources(text: string, name: string, folder: string): { sources: Source[]; findings: Finding[] } {
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${printable(name)}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const documents = Array.isArray(parsed) ? parsed : [];
  const findings = documents.flatMap(({ errors }) =>
    errors.map(({ pos, message }) => ({ place: place(pos[0]), problem: printable(message) })),
  );
  if (findings.length > 0) return { sources: [], findings };
  const sources: Source[] = [];
  for (const document of documents) {
    if (document.contents === null) continue;
    try {
      const value: unknown = document.toJS({ maxAliasCount });
      if (value === null) continue;
      sources.push({ name, folder, value, placeOf: (path) => place(offsetOf(document, path)) });
    } catch (error) {
      findings.push({ place: place(document.range[0]), problem: printable((error as Error).message) });
    }
  }
  return { sources, findings };
}

/** Where a value stands: at its key, or as an entry of its list. */
function offsetOf(document: Document<ParsedNode>, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  for (const segment of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment));
      if (pair === undefined) break;
      offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const entry = node.items[Number(segment)] as { readonly range?: readonly number[] | null } | undefined;
      if (entry === undefined) break;
      offset = entry.range?.[0] ?? offset;
      node = entry;
    } else break;
  }
  return offset;
}
