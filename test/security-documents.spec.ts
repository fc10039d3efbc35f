import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sealedTables } from '../libs/persistence/src/master-keys/sealed-columns.js';

/** Keeps docs/security and SECURITY.md true: what they name is there, and the table of the ASVS is whole. */

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = ['SECURITY.md', ...readdirSync(join(root, 'docs/security')).map((name) => `docs/security/${name}`)];
const proofs = pages.flatMap((page) =>
  [...read(page).matchAll(/`([\w./-]+\.(?:spec|int-spec|e2e-spec|long-spec)\.ts)`(?: “([^”]+)”)?/g)].map(
    ([, file = '', title = '']) => ({ page, file, title }),
  ),
);

describe('the documents of security', () => {
  it('name tests that are there, by titles that they have', () => {
    expect(proofs.length).toBeGreaterThan(100);
    const wrong = proofs.filter(({ file, title }) => !existsSync(join(root, file)) || !read(file).includes(title));
    expect(wrong).toEqual([]);
  });

  it('lead only to what is there', () => {
    const links = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, path = '', anchor]) => ({
        page,
        target: path === '' ? page : normalize(join(dirname(page), path)),
        anchor,
      })),
    );
    expect(links.length).toBeGreaterThan(20);
    const broken = links.filter(
      ({ target, anchor }) =>
        !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(read(target)).includes(anchor)),
    );
    expect(broken).toEqual([]);
  });

  it('names every place where something is sealed', () => {
    const keys = read('docs/security/keys.md');
    const unnamed = sealedTables.filter(({ table }) => !keys.includes(`\`${table}\``));
    expect(unnamed.map(({ table }) => table)).toEqual([]);
  });
});

describe('the table of the ASVS', () => {
  const page = read('docs/security/asvs.md');
  const rows = page
    .split('\n')
    .filter((line) => /^\| \d+\.\d+\.\d+ /.test(line))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .map(([, id = '', level = '', status = '', how = '', tests = '']) => ({
      id,
      level: Number(level),
      status,
      how,
      tests,
    }));

  it('has the 70 requirements of level 1 and the 183 of level 2, each once', () => {
    expect(rows.filter(({ level }) => level === 1)).toHaveLength(70);
    expect(rows.filter(({ level }) => level === 2)).toHaveLength(183);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(253);
  });

  it('proves what it calls met, and says of everything else why', () => {
    const states = ['met', 'partly', 'not met', 'n/a'];
    expect(rows.filter(({ status, how }) => !states.includes(status) || how === '')).toEqual([]);
    const unproven = rows.filter(({ status, how, tests }) => status === 'met' && tests === '' && !how.includes(']('));
    expect(unproven).toEqual([]);
  });

  it('counts itself', () => {
    const count = (status: string) => rows.filter((row) => row.status === status).length;
    const counted = /Of (\d+) that apply, (\d+) are met, (\d+) partly, (\d+) not\./.exec(page)!.slice(1).map(Number);
    expect(counted).toEqual([rows.length - count('n/a'), count('met'), count('partly'), count('not met')]);
  });
});

/** As the places that show Markdown make them of headings. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .trim()
      .replace(/\s/g, '-'),
  );
