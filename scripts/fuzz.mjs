/**
 * `npm run fuzz -- [--only answers|api] --seed N --runs M [--from K]`: damages a provider's answers and judges what the
 * CIBA client makes of them; then calls the API with inputs made from its own description. Without a seed one is drawn and
 * told. A failure names the command that replays it.
 */
import { randomInt } from 'node:crypto';
import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from './install.mjs';
import { Obstacle, run } from './progress.mjs';

register('./typescript-hooks.mjs', import.meta.url);
const ours = (path) => import(pathToFileURL(join(root, path)).href);

/** `houseRuns`: after so many a new system takes over, so that it holds what a real one may hold and not all that was ever made. */
const fuzzers = {
  answers: {
    runs: 50_000,
    houseRuns: Infinity,
    open: async () => (await ours('test/support/answer-fuzzer.ts')).AnswerFuzzer.open(),
    report: ({ ends }) => ends,
  },
  api: {
    runs: 100_000,
    houseRuns: 5_000,
    open: async () => {
      await import('reflect-metadata');
      return (await ours('test/support/api-fuzz/api-fuzzer.ts')).ApiFuzzer.open({ hangsAfterMs: 10_000 });
    },
    report: ({ statuses }) => statuses,
  },
};

await run(async () => {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      seed: { type: 'string' },
      runs: { type: 'string' },
      from: { type: 'string' },
    },
  });
  const number = (name, otherwise) => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (!Number.isSafeInteger(value) || value < 0) throw new Obstacle(`--${name} is not a whole number.`);
    return value;
  };
  const chosen = values.only === undefined ? Object.keys(fuzzers) : [values.only];
  if (!chosen.every((name) => Object.hasOwn(fuzzers, name))) throw new Obstacle('--only is answers or api.');
  const seed = number('seed', randomInt(1_000_000));
  for (const name of chosen) {
    const { open, report, houseRuns, ...usual } = fuzzers[name];
    const runs = number('runs', usual.runs);
    const first = number('from', 0);
    console.log(`${name}: seed ${seed}, ${runs} runs`);
    const startedAt = performance.now();
    const ends = {};
    for (let from = first; from < first + runs; from += houseRuns) {
      const fuzzer = await open();
      try {
        const met = await fuzzer.run(seed, Math.min(houseRuns, first + runs - from), from).catch((error) => {
          throw new Obstacle(error.message);
        });
        for (const [end, times] of Object.entries(report(met))) ends[end] = (ends[end] ?? 0) + times;
      } finally {
        await fuzzer.close();
      }
    }
    for (const [end, times] of Object.entries(ends).sort()) console.log(`${String(times).padStart(8)}  ${end}`);
    console.log(`Nothing found in ${Math.round((performance.now() - startedAt) / 1000)} s.`);
  }
});
