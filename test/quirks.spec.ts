import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const providers = readFileSync(join(root, 'docs/providers.md'), 'utf8');
const quirks = Array.from({ length: 48 }, (_, index) => `Q${index + 1}`);

/** Nothing that code could do, so nothing that a test of code could prove. */
const onPaperOnly = ['Q21', 'Q39', 'Q48'];

/** What stands in the titles of tests, in parentheses, and in the last column of their tables. */
function namedByTests(): Set<string> {
  const named = new Set<string>();
  for (const folder of ['libs', 'apps', 'test']) {
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(spec|int-spec|e2e-spec)\.ts$/.test(file) || file === 'quirks.spec.ts') continue;
      const source = readFileSync(join(root, folder, file), 'utf8');
      for (const [, list = ''] of source.matchAll(/\(([^()\n]*\bQ\d+\b[^()\n]*)\)/g)) add(list);
      for (const [, quirk = ''] of source.matchAll(/'(Q\d+)'\]/g)) named.add(quirk);
    }
  }
  return named;
  function add(list: string): void {
    for (const [quirk] of list.matchAll(/\bQ\d+\b/g)) named.add(quirk);
  }
}

describe('the peculiarities of providers', () => {
  const named = namedByTests();

  it.each(quirks)('%s is told in docs/providers.md', (quirk) => {
    expect(providers).toMatch(new RegExp(`\\b${quirk}\\b`));
  });

  it.each(quirks.filter((quirk) => !onPaperOnly.includes(quirk)))('%s is named by the title of a test', (quirk) => {
    expect(named).toContain(quirk);
  });

  it.each(onPaperOnly)('%s concerns documents only: docs/providers.md says what to make of it', (quirk) => {
    expect(providers).toMatch(new RegExp(`\\(${quirk}\\)`));
  });
});
