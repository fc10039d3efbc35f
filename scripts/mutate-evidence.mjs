/**
 * `npm run mutate`: takes every check of the evidence out, one at a time, and demands that a pure test notices.
 *
 * A mutant is a copy of the modules that decide what proves an approval, with one change in the source: a check that
 * always holds, a refusal that is never made, a condition without one of its parts, a limit off by one. All mutants run
 * in one jest process. One that no test fails for is a survivor; a survivor is an error unless it stands in
 * `equivalents` with the reason why nobody could tell it from the original.
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './install.mjs';

/** `--checks`: only what takes a whole check or refusal out, which is a matter of seconds. */
const checksOnly = process.argv.includes('--checks');

const source = 'libs/ciba/src';
/** Each module with the pure tests that hold it. */
const subjects = [
  { file: 'evidence.ts', specs: ['evidence.spec.ts'] },
  { file: 'id-token.ts', specs: ['id-token.spec.ts'] },
  { file: 'authorization-details.ts', specs: ['authorization-details.spec.ts'] },
];
/** What they import, as it is. */
const neighbours = ['answer-fields.ts', 'strict-json.ts', 'outcomes.ts'];

/** Changes that change nothing, by the line they are in and what becomes of it. */
const equivalents = JSON.parse(await readFile(join(root, 'scripts/mutate-evidence.equivalents.json'), 'utf8'));

function report(mutants, survivors) {
  const known = new Set(equivalents.map(({ mutant }) => mutant));
  const unexplained = survivors.filter(({ name }) => !known.has(name));
  const stale = checksOnly ? [] : equivalents.filter(({ mutant }) => !survivors.some(({ name }) => name === mutant));
  for (const { name } of unexplained) console.log(`survived: ${name}`);
  for (const { mutant } of stale) console.log(`explained, but there is no such survivor: ${mutant}`);
  const killed = mutants.length - survivors.length;
  console.log(
    `${mutants.length} mutants, ${killed} killed, ${survivors.length - unexplained.length} equivalent, ${unexplained.length} survived`,
  );
  if (unexplained.length > 0 || stale.length > 0 || mutants.length === 0) process.exitCode = 1;
}

/** One change for each place where a check could be missing or wrong. */
async function mutantsOf({ file, specs }) {
  const text = await readFile(join(root, source, file), 'utf8');
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const found = [];
  const replace = (node, replacement, what) => {
    const start = node.getStart(tree);
    const line = text.slice(text.lastIndexOf('\n', start) + 1, text.indexOf('\n', start)).trim();
    const name = `${file}: ${line} · ${what}: ${shorten(node.getText(tree))} → ${shorten(replacement)}`;
    const whole = what === 'the check always holds' || what === 'never refused';
    found.push({ file, specs, name, whole, text: text.slice(0, start) + replacement + text.slice(node.getEnd()) });
  };
  const visit = (node) => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node)) return;
    mutate(node, replace, tree);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  // Lines may repeat, such as a lone operand: number what would have the same name.
  const seen = new Map();
  for (const mutant of found) {
    const times = (seen.get(mutant.name) ?? 0) + 1;
    seen.set(mutant.name, times);
    if (times > 1) mutant.name += ` (${times})`;
  }
  return checksOnly ? found.filter(({ whole }) => whole) : found;
}

const flipped = { '<': '<=', '<=': '<', '>': '>=', '>=': '>', '===': '!==', '!==': '===' };

function mutate(node, replace, tree) {
  if (isCheck(node)) replace(node, '() => true', 'the check always holds');
  if (ts.isIfStatement(node)) {
    replace(node.expression, 'false', 'never refused');
    replace(node.expression, `!(${node.expression.getText(tree)})`, 'refused when it should not be');
  }
  if (ts.isBinaryExpression(node)) {
    const { left, right, operatorToken } = node;
    if (operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken) {
      for (const part of [left, right]) replace(part, 'true', 'a part that always holds');
    }
    if (operatorToken.kind === ts.SyntaxKind.BarBarToken) {
      for (const part of [left, right]) replace(part, 'false', 'a part that never holds');
    }
    const other = flipped[operatorToken.getText(tree)];
    if (other) replace(operatorToken, other, 'the comparison');
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    replace(node, node.operand.getText(tree), 'the opposite');
  }
  if (ts.isConditionalExpression(node)) {
    replace(node.condition, 'true', 'always the first');
    replace(node.condition, 'false', 'always the second');
  }
  if (ts.isArrayLiteralExpression(node) && node.elements.length > 1 && node.elements.every(ts.isStringLiteral)) {
    node.elements.forEach((element) => replace(element, "'nothing'", 'one less in the list'));
  }
  if (ts.isNumericLiteral(node) && Number(node.text) > 2) replace(node, String(Number(node.text) + 1), 'the limit');
}

/** The predicate of an entry in the list of checks: `[problem, predicate, detail]`. */
function isCheck(node) {
  return (
    ts.isArrowFunction(node) && ts.isArrayLiteralExpression(node.parent) && node.parent.elements.indexOf(node) === 1
  );
}

const shorten = (text) => text.replace(/\s+/g, ' ').slice(0, 80);

async function writeMutant(folder, mutant) {
  await mkdir(folder, { recursive: true });
  const files = [...subjects.map(({ file }) => file), ...neighbours];
  const specs = mutant === null ? subjects.flatMap(({ specs: all }) => all) : mutant.specs;
  await Promise.all([...files, ...specs].map((file) => cp(join(root, source, file), join(folder, file))));
  if (mutant !== null) await writeFile(join(folder, mutant.file), mutant.text);
}

/** The names of the folders in which a test failed. */
async function failingFolders(folder) {
  const { default: config } = await import(join(root, 'jest.config.mjs'));
  const { globalSetup: _setup, globalTeardown: _teardown, ...rest } = config;
  const configFile = join(folder, 'jest.config.json');
  const results = join(folder, 'results.json');
  const own = { rootDir: root, testMatch: [`${folder}/**/*.spec.ts`], reporters: [] };
  await writeFile(configFile, JSON.stringify({ ...rest, ...own }));
  const args = ['--config', configFile, '--json', '--outputFile', results, '--silent'];
  await new Promise((resolve, reject) => {
    const jest = spawn(
      process.execPath,
      ['--experimental-vm-modules', '--no-warnings', join(root, 'node_modules/jest/bin/jest.js'), ...args],
      { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    jest.once('error', reject);
    jest.once('close', resolve);
  });
  const { testResults } = JSON.parse(await readFile(results, 'utf8'));
  const folderOf = ({ name }) => name.slice(folder.length + 1).split('/')[0];
  return new Set(testResults.filter(({ status }) => status === 'failed').map(folderOf));
}

const mutants = (await Promise.all(subjects.map(mutantsOf))).flat();
await mkdir(join(root, 'coverage'), { recursive: true });
const folder = await mkdtemp(join(root, 'coverage/mutants-'));
try {
  await Promise.all(mutants.map((mutant, index) => writeMutant(join(folder, String(index)), mutant)));
  await writeMutant(join(folder, 'original'), null);
  const failed = await failingFolders(folder);
  if (failed.has('original')) throw new Error('The tests fail without any change; mend that first.');
  report(
    mutants,
    mutants.filter((_, index) => !failed.has(String(index))),
  );
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
