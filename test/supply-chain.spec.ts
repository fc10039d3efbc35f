import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

const root = join(import.meta.dirname, '..');
const json = <T>(path: string): T => JSON.parse(readFileSync(join(root, path), 'utf8')) as T;
const { packages } = json<{ packages: Readonly<Record<string, Locked>> }>('package-lock.json');
const own = json<{
  dependencies: Readonly<Record<string, string>>;
  devDependencies: Readonly<Record<string, string>>;
}>('package.json');
const foreign = Object.entries(packages).filter(([place, { link }]) => place !== '' && link !== true);

/** What is installed is what was looked at, and runs nothing while it is installed. */
describe('the packages that we build on', () => {
  it('knows every package by a hash of its content', () => {
    expect(foreign.length).toBeGreaterThan(300);
    const unknown = foreign.filter(([, { integrity, version }]) => !version || !/^sha512-/.test(integrity ?? ''));
    expect(unknown.map(([place]) => place)).toEqual([]);
  });

  it('names none by an address: the registry is the one that is configured', () => {
    expect(foreign.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it('asks for exact versions', () => {
    const loose = Object.entries({ ...own.dependencies, ...own.devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    );
    expect(loose).toEqual([]);
    expect(Object.keys(own.dependencies).length).toBeLessThanOrEqual(60);
  });

  it('runs no program of a package at installation, wherever we install', () => {
    expect(foreign.some(([, { hasInstallScript }]) => hasInstallScript === true)).toBe(true);
    for (const file of ['scripts/install.mjs', 'Dockerfile', 'README.md']) {
      const installs = readFileSync(join(root, file), 'utf8').match(/.*\bnpm ci\b.*|.*\['ci'.*/g) ?? [];
      expect({ file, installs: installs.length > 0 }).toEqual({ file, installs: true });
      for (const line of installs)
        expect({ file, line }).toEqual({ file, line: expect.stringContaining('--ignore-scripts') });
    }
  });
});
