import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { routes } from '#lib/contracts';
import { ApiFuzzer } from './support/api-fuzz/api-fuzzer.js';
import { callKinds } from './support/api-fuzz/fuzz-calls.js';

/** The bounded part of `npm run fuzz -- --only api`: inputs made from the description that the API serves. */

let fuzzer: ApiFuzzer;
beforeAll(async () => {
  // What hangs, hangs for ever; a busy machine is only slow.
  fuzzer = await ApiFuzzer.open({ hangsAfterMs: 60_000 });
}, 120_000);
afterAll(() => fuzzer?.close());

it('answers 5,000 calls as its description says: no 5xx, no hang, nothing about the inside', async () => {
  const { statuses, kinds, succeeded } = await fuzzer.run(20_260, 5_000);
  // The calls are neither always refused nor always taken, so the judge has something to judge.
  for (const status of ['200', '201', '202', '204', '400', '401', '403', '404', '409', '412', '415', '422']) {
    expect({ status, times: statuses[status] ?? 0 }).not.toEqual({ status, times: 0 });
  }
  for (const kind of callKinds) expect(kinds[kind] ?? 0).toBeGreaterThan(800);
  expect(succeeded.length).toBeGreaterThan(routes.length * 0.6);
}, 180_000);
