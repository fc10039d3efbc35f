import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/**
 * Keeps docs/ciba.md true: every requirement stands in it once, with the code that meets it and a test that names it.
 * What is not met stands under "Not met yet", and nowhere else.
 */

type Level = 'M' | 'S' | 'O' | 'P';

interface Row {
  readonly number: number;
  readonly level: Level;
  readonly code: readonly string[];
  readonly tests: readonly { readonly file: string; readonly title: string }[];
  /** What stands in place of tests. */
  readonly words: string;
}

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/ciba.md'), 'utf8');
const count = 138;
const levels: Readonly<Record<Exclude<Level, 'M'>, readonly number[]>> = {
  S: [4, 5, 11, 19, 21, 25, 29, 45, 48, 56, 67, 68, 79, 81, 94, 95, 96, 99, 103, 104, 105, 111, 112, 136, 137, 138],
  O: [8, 22, ...range(31, 37), 40, ...range(82, 87), ...range(129, 135)],
  P: [38, 39, 97, ...range(115, 125)],
};
const rows = page
  .split('\n')
  .filter((line) => /^\| R\d+ /.test(line))
  .map(readRow);
const lastSection = page.split('\n## Not met yet\n')[1]!;
const notMet = [...lastSection.matchAll(/^- \*\*R(\d+)\*\*/gm)].map(([, number]) => Number(number));

describe('the table of requirements', () => {
  it('has every requirement once, in order, at its level', () => {
    const expected = range(1, count).map((number) => ({ number, level: levelOf(number) }));
    expect(rows.map(({ number, level }) => ({ number, level }))).toEqual(expected);
  });

  it('names code that is there', () => {
    expect(rows.flatMap(({ code }) => code).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it.each(rows.flatMap(({ number, tests }) => tests.map((test) => ({ number, ...test }))))(
    'R$number is named in $file: $title',
    ({ number, file, title }) => {
      const lines = readFileSync(join(root, file), 'utf8').split('\n');
      const titles = lines.filter((line) => line.includes(title));
      expect(titles).not.toEqual([]);
      // The title itself says which requirement it proves.
      expect(titles.filter((line) => new RegExp(`\\bR${number}\\b`).test(line))).not.toEqual([]);
    },
  );

  it('has code and a test for each row, or says why not', () => {
    const unproven = rows.filter(({ code, tests }) => code.length === 0 || tests.length === 0);
    expect(unproven.filter(({ words }) => words === '').map(({ number }) => number)).toEqual([]);
    // A must or a should that lacks one of them is not met, whatever the words say.
    const must = unproven.filter(({ level }) => level === 'M' || level === 'S').map(({ number }) => number);
    expect(must.filter((number) => !notMet.includes(number))).toEqual([]);
  });

  it('lists what is not met, and counts it', () => {
    const marked = rows.filter(({ words }) => words.startsWith('**not met**')).map(({ number }) => number);
    expect(notMet).toEqual(marked);
    expect(marked.filter((number) => ['O', 'P'].includes(levelOf(number)))).toEqual([]);
    // Either something is listed or the section says that there is nothing.
    expect(lastSection.trim() === 'Nothing.').toBe(marked.length === 0);
    const counted = /(\d+) of (\d+) M and S requirements are met(?:, (\d+) (?:is|are) not|\.)/.exec(page)!;
    const [, met, of, missing = '0'] = counted;
    const demanded = rows.filter(({ level }) => level === 'M' || level === 'S').length;
    expect([Number(met), Number(of), Number(missing)]).toEqual([demanded - marked.length, demanded, marked.length]);
  });
});

function readRow(line: string): Row {
  const [, number = '', level = '', , code = '', proof = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
  const tests = [...proof.matchAll(/`([^`]+)` “([^”]+)”/g)].map(([, file = '', title = '']) => ({ file, title }));
  return {
    number: Number(number.slice(1)),
    level: level as Level,
    code: [...code.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
    tests,
    words: tests.length === 0 ? proof : '',
  };
}

function levelOf(number: number): Level {
  return (Object.keys(levels) as (keyof typeof levels)[]).find((level) => levels[level].includes(number)) ?? 'M';
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
