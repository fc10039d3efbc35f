/**
 * `npm run fuzz -- --seed N --runs M [--from K]`: damages a provider's answers M times and judges what the CIBA client
 * makes of them. Without a seed one is drawn and told. A failure names the command that replays it.
 */
import { randomInt } from 'node:crypto';
import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from './install.mjs';
import { Obstacle, run } from './progress.mjs';

register('./typescript-hooks.mjs', import.meta.url);

await run(async () => {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, runs: { type: 'string' }, from: { type: 'string' } },
  });
  const number = (name, otherwise) => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (!Number.isSafeInteger(value) || value < 0) throw new Obstacle(`--${name} is not a whole number.`);
    return value;
  };
  const seed = number('seed', randomInt(1_000_000));
  const runs = number('runs', 50_000);
  const { AnswerFuzzer } = await import(pathToFileURL(join(root, 'test/support/answer-fuzzer.ts')).href);
  const fuzzer = await AnswerFuzzer.open();
  try {
    console.log(`Seed ${seed}, ${runs} runs`);
    const startedAt = performance.now();
    const { ends } = await fuzzer.run(seed, runs, number('from', 0)).catch((error) => {
      throw new Obstacle(error.message);
    });
    for (const [end, times] of Object.entries(ends).sort()) console.log(`${String(times).padStart(8)}  ${end}`);
    console.log(`Nothing found in ${Math.round((performance.now() - startedAt) / 1000)} s.`);
  } finally {
    await fuzzer.close();
  }
});
