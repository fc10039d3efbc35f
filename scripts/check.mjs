/**
 * `npm run check`: everything that can be said about a change without a server. One line per step with its seconds;
 * the first complaint ends it.
 */
import { join } from 'node:path';
import { endRunning, node } from './command.mjs';
import { inThisClone, installWhatIsMissing, requireNode, root } from './install.mjs';
import { Obstacle, run } from './progress.mjs';

const bin = (path) => join(root, 'node_modules', path);
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', bin('jest/bin/jest.js')];

/** What takes longest has a lane of its own. */
const lanes = [
  [{ title: 'lint', args: [bin('eslint/bin/eslint.js'), '.'] }],
  [
    {
      title: 'lock file',
      args: ['scripts/check-lock-file.mjs'],
      remedy: 'run `npm install` and commit package-lock.json',
    },
    {
      title: 'format',
      args: [...[bin('prettier/bin/prettier.cjs'), '--check', '.', '--log-level', 'warn'], '--cache'],
      remedy: 'run `npm run format`',
    },
    { title: 'types', args: [bin('typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json'] },
    {
      title: 'types of the console',
      args: [bin('typescript/bin/tsc'), '--noEmit', '-p', 'apps/console/tsconfig.json'],
    },
    {
      title: 'fence',
      args: [
        bin('dependency-cruiser/bin/dependency-cruise.mjs'),
        '--config',
        '.dependency-cruiser.mjs',
        'apps',
        'libs',
        'bench',
        'test/chaos/checker',
      ],
      remedy: 'docs/architecture.md says what may import what',
    },
    { title: 'docs', args: ['scripts/generate-docs.mjs', '--check'], remedy: 'run `npm run docs`' },
    { title: 'unit tests', args: [...jest, '--testMatch', '<rootDir>/{apps,bench,libs,test}/**/*.spec.ts'] },
  ],
];

await run(async () => {
  requireNode();
  await inThisClone(installWhatIsMissing);
  let complained = false;
  await Promise.all(
    lanes.map(async (steps) => {
      for (const { title, args, remedy } of steps) {
        if (complained) return;
        const startedAt = performance.now();
        const { code, output } = await node(args, { cwd: root });
        if (complained) return;
        complained = code !== 0;
        console.log(`${complained ? '✘' : '✔'} ${title}, ${Math.round((performance.now() - startedAt) / 1000)} s`);
        if (!complained) continue;
        throw new Obstacle(`${output.trim()}\n\n${title}: not clean${remedy ? `; ${remedy}` : ''}.`);
      }
    }),
  );
});
endRunning();
