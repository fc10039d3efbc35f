import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone } from './lock.mjs';
import { command, node } from './command.mjs';
import { Obstacle, step } from './progress.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockFile = join(root, 'package-lock.json');
const hiddenLockFile = join(root, 'node_modules/.package-lock.json');
const stampFile = join(root, 'node_modules/.assent-installed');

/** Refuses a Node.js that is too old, with a sentence rather than a syntax error from some package. */
export function requireNode() {
  const wanted = [20, 19];
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
    throw new Obstacle(
      `Assent needs Node.js ${wanted.join('.')} or newer; this is ${process.versions.node}. Install a newer one and try again.`,
    );
  }
}

/** Keeps two commands in one clone from installing or building over each other. */
export const inThisClone = (work) =>
  alone(join(root, '.assent/setup.lock'), work, (pid) =>
    console.log(`  Another command (process ${pid}) is installing or building here; waiting for it …`),
  );

/** Installs the packages when they are missing, incomplete or not those of package-lock.json. */
export async function installWhatIsMissing(announce) {
  const reason = whyInstall();
  if (reason === null) return;
  await step(`Installing packages: ${reason}`, () => install(announce));
}

/** Says why the packages must be installed, or null. */
function whyInstall() {
  if (!existsSync(join(root, 'node_modules'))) return 'this is the first run';
  const stamp = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : null;
  if (stamp !== null && stamp !== fingerprint()) return 'package-lock.json has changed';
  if (stamp === null && !finishedByNpm()) return 'the last installation did not finish';
  const missing = missingPackage();
  return missing === null ? null : `${missing} is missing or has another version`;
}

const fingerprint = () =>
  `${createHash('sha256').update(readFileSync(lockFile)).digest('hex')} ${process.platform}-${process.arch}`;

// npm writes its hidden lock file last: one that is older than a package folder belongs to an earlier installation.
function finishedByNpm() {
  if (!existsSync(hiddenLockFile)) return false;
  const finishedAtMs = statSync(hiddenLockFile).mtimeMs;
  const { packages } = readJson(hiddenLockFile) ?? {};
  if (packages === undefined) return false;
  return Object.keys(packages).every((at) => {
    const folder = statSync(join(root, at), { throwIfNoEntry: false });
    return folder !== undefined && folder.mtimeMs <= finishedAtMs;
  });
}

/** Null for a file that was cut off in the middle of being written. */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function missingPackage() {
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8'));
  for (const [at, { version, optional, link }] of Object.entries(packages)) {
    if (at === '' || link) continue;
    const manifest = join(root, at, 'package.json');
    if (!existsSync(manifest)) {
      if (!optional) return at.replace(/^node_modules\//, '');
    } else if (readJson(manifest)?.version !== version) {
      return at.replace(/^node_modules\//, '');
    }
  }
  return null;
}

async function install(announce) {
  const args = [
    // No package may run a program of its own while it is installed.
    ...['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
    ...['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'],
  ];
  // npm tells its scripts where it lives: the same npm, also where PATH has another one.
  const npm = process.env.npm_execpath;
  const options = { cwd: root, onStart: announce };
  const { code, output } = await (npm?.endsWith('.js') ? node([npm, ...args], options) : command('npm', args, options));
  if (code !== 0) throw new Obstacle(explain(output));
  await writeFile(stampFile, fingerprint());
}

function explain(output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|socket hang up/.test(output)) {
    return 'The packages could not be installed: the package registry cannot be reached. Check the network (or the proxy settings of npm), then run the same command again.';
  }
  if (/EUSAGE|can only install packages when your package\.json/.test(output)) {
    return 'The packages could not be installed: package.json and package-lock.json do not fit together. Run `npm install`, then the same command again.';
  }
  if (/ENOSPC/.test(output)) return 'The packages could not be installed: the disk is full.';
  if (/EACCES|EPERM/.test(output)) {
    return `The packages could not be installed: ${join(root, 'node_modules')} may not be written by this user.`;
  }
  return `The packages could not be installed. npm says:\n\n${output.trim()}`;
}
