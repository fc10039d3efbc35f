import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { node } from './command.mjs';
import { inThisClone, installWhatIsMissing, requireNode, root } from './install.mjs';
import { Obstacle, run, step } from './progress.mjs';

const dist = join(root, 'dist');
const consoleFolder = join(root, 'apps/console/');
const stampFile = join(dist, '.assent-built');
const sourceFolders = ['apps', 'libs'];
const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/** Builds when `dist` is not the result of exactly these sources. */
export async function buildWhatIsStale() {
  const fingerprint = await fingerprintOfSources();
  const stamp = existsSync(stampFile) ? await readFile(stampFile, 'utf8') : null;
  if (stamp === fingerprint) return;
  await step(stamp === null ? 'Building' : 'Building: the sources have changed', () => build(fingerprint));
}

/**
 * Compiles everything into a clean `dist` whose tree is the tree of the sources. Every file in apps and libs that is
 * not TypeScript (pages, styles, SQL) is copied to the same place. An interrupted build leaves the old one as it was.
 */
async function build(fingerprint) {
  const fresh = `${dist}.new`;
  await rm(fresh, { recursive: true, force: true });
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { code, output } = await node([tsc, '-p', 'tsconfig.build.json', '--outDir', fresh], { cwd: root });
  if (code !== 0) throw new Obstacle(`The sources do not compile:\n\n${output.trim()}`);
  await buildConsole(join(fresh, relative(root, consoleFolder)));

  for (const file of await sources()) {
    if (/\.[cm]?tsx?$/.test(file) || file.startsWith(consoleFolder)) continue;
    const target = join(fresh, relative(root, file));
    await mkdir(dirname(target), { recursive: true });
    await copyFile(file, target);
  }
  // Not before everything is installed.
  const { bundlePrograms } = await import('./bundle.mjs');
  await bundlePrograms(fresh);
  await writeFile(join(fresh, relative(dist, stampFile)), fingerprint);
  await rm(dist, { recursive: true, force: true });
  await rename(fresh, dist);
}

/** Bundles the program that rules-service serves at `/console`. */
async function buildConsole(target) {
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const args = [vite, 'build', consoleFolder, '--outDir', target, '--logLevel', 'error'];
  const { code, output } = await node(args, { cwd: root });
  if (code !== 0) throw new Obstacle(`The console cannot be built:\n\n${output.trim()}`);
}

async function fingerprintOfSources() {
  const hash = createHash('sha256');
  for (const file of [...settings.map((name) => join(root, name)), ...(await sources())]) {
    hash.update(`${relative(root, file)}\0`).update(await readFile(file));
  }
  return hash.digest('hex');
}

async function sources() {
  const files = [];
  for (const folder of sourceFolders) {
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath ?? entry.path, entry.name);
      if (entry.isFile() && !isTest(file)) files.push(file);
    }
  }
  return files.sort();
}

const isTest = (file) => /\.(spec|int-spec|e2e-spec|long-spec|contract)\.ts$/.test(file);

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await run(async () => {
    requireNode();
    await inThisClone(async (announce) => {
      await installWhatIsMissing(announce);
      const fingerprint = await fingerprintOfSources();
      await step('Building', () => build(fingerprint));
    });
  });
}
