import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the built console, with the encodings in which it can be sent. */
export interface ConsoleFile {
  readonly contentType: string;
  readonly content: Buffer;
  readonly br: Buffer | null;
  readonly gzip: Buffer | null;
}

/** The built console: its files by their path below `/console/`. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Reads the console once; only what is in this map can ever be served. Null: it has not been built. */
export function readConsoleFiles(): ConsoleFiles | null {
  const folder = builtConsole();
  if (folder === null) return null;
  const read = (path: string): Buffer | null => (existsSync(path) ? readFileSync(path) : null);
  const files = new Map<string, ConsoleFile>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const contentType = contentTypes[extname(entry.name)];
    if (!entry.isFile() || contentType === undefined) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const content = readFileSync(path);
    files.set(relative(folder, path).split(sep).join('/'), {
      contentType,
      content,
      br: read(`${path}.br`),
      gzip: read(`${path}.gz`),
    });
  }
  return files;
}

/** Beside this service where both are built; in `dist` when this file is still a source. */
function builtConsole(): string | null {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const places = ['../../../console', '../../../../dist/apps/console'].map((path) => join(here, path));
  return places.find((place) => existsSync(join(place, 'assets')) && existsSync(join(place, 'index.html'))) ?? null;
}
