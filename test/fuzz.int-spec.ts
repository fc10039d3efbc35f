import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AnswerFuzzer } from './support/answer-fuzzer.js';

/** The bounded part of `npm run fuzz`: the same runs each time, so that what is red stays red. */

let fuzzer: AnswerFuzzer;

beforeAll(async () => {
  fuzzer = await AnswerFuzzer.open();
});

afterAll(async () => {
  await fuzzer.close();
});

it('verifies no damaged answer, throws nothing and never hangs (R90, R91, R92)', async () => {
  const { ends } = await fuzzer.run(20_260, 2_000);
  // The damage is neither always fatal nor always harmless, so the judge has something to judge.
  for (const end of [
    'start: acknowledged',
    'tokens: verified',
    'claims: verified',
    'claims: rejected',
    'keys: verified',
  ]) {
    expect({ end, times: ends[end] ?? 0 }).not.toEqual({ end, times: 0 });
  }
}, 240_000);
