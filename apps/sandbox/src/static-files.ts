import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of apps/sandbox/public, ready to be sent. */
export interface StaticFile {
  readonly contentType: string;
  readonly content: string;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Reads the pages, styles and scripts once; only what is in this map can ever be served. */
export function readStaticFiles(): ReadonlyMap<string, StaticFile> {
  const folder = findPublicFolder(dirname(fileURLToPath(import.meta.url)));
  return new Map(
    readdirSync(folder).flatMap((name) => {
      const contentType = contentTypes[extname(name)];
      return contentType ? [[name, { contentType, content: readFileSync(join(folder, name), 'utf8') }] as const] : [];
    }),
  );
}

/** The compiled module lies in dist/, the files stay with the sources: the nearest folder above holds both. */
function findPublicFolder(from: string): string {
  const folder = join(from, 'apps/sandbox/public');
  if (existsSync(folder)) return folder;
  if (dirname(from) === from) throw new Error('The pages of the sandbox (apps/sandbox/public) are missing');
  return findPublicFolder(dirname(from));
}
