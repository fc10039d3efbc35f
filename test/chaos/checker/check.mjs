/**
 * `node test/chaos/checker/check.mjs <folder>`: judges what a chaos run left in a folder, and nothing else.
 *
 * Prints a table and writes `verdict.json` into the folder. Ends with 0 when all is well, 1 when it is not, 2 when the
 * folder cannot be read.
 */
import { writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';

register('../../../scripts/typescript-hooks.mjs', import.meta.url);
const { joinHistory } = await import('./history.ts');
const { judgeHistory } = await import('./judge-history.ts');
const { readRun } = await import('./read-run.ts');
const { verdictTable } = await import('./verdict-table.ts');

const [folder, ...rest] = process.argv.slice(2);
if (folder === undefined || rest.length > 0) {
  console.error('Usage: node test/chaos/checker/check.mjs <folder>');
  process.exit(2);
}
try {
  const verdict = await judgeHistory(joinHistory(readRun(folder)));
  writeFileSync(join(folder, 'verdict.json'), `${JSON.stringify(verdict, null, 2)}\n`);
  console.log(verdictTable(verdict));
  process.exitCode = verdict.ok ? 0 : 1;
} catch (error) {
  console.error(`The run cannot be judged: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
