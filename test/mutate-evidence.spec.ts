import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** Takes out one whole check of the evidence after the other; `npm run mutate` changes every part of them. */
describe('a check of the evidence that is missing', () => {
  it('is noticed by a pure test, whichever it is', async () => {
    const output = await new Promise<string>((resolve) => {
      const args = [join(process.cwd(), 'scripts/mutate-evidence.mjs'), '--checks'];
      execFile(process.execPath, args, (_error, out, err) => resolve(out + err));
    });
    const [, mutants, killed] = /(\d+) mutants, (\d+) killed/.exec(output) ?? [];
    expect([output, Number(killed)]).toEqual([expect.stringContaining('0 survived'), Number(mutants)]);
    // Twenty-one checks, and what is refused before them.
    expect(Number(mutants)).toBeGreaterThanOrEqual(26);
  }, 300_000);
});
