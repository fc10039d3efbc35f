import { expect, it } from '@jest/globals';
import { silentLog } from '#lib/runtime';
import type { RecordDecision, RecordOutcome } from './record-decision.js';
import { SweepUndecided } from './sweep-undecided.js';

/** Sweeps once over undecided requests, oldest first, of which some can never be decided; answers which are decided. */
async function sweepOver(
  requestIds: readonly string[],
  isHopeless: (id: string) => boolean,
  hopeless = (): RecordOutcome => {
    throw new Error('the signing key cannot be opened');
  },
): Promise<string[]> {
  const undecided = new Set(requestIds);
  const requests = { undecided: async ({ limit }: { limit: number }) => [...undecided].slice(0, limit) };
  const run = async (id: string) => {
    if (isHopeless(id)) return hopeless();
    return undecided.delete(id) ? 'recorded' : 'already-recorded';
  };
  const sweep = new SweepUndecided(
    { requests } as unknown as ConstructorParameters<typeof SweepUndecided>[0],
    { run } as unknown as RecordDecision,
    silentLog,
  );
  await sweep.tick();
  return requestIds.filter((id) => !undecided.has(id));
}

const numbered = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name} ${index}`);

it('records every decision that is missing, page after page', async () => {
  const requestIds = numbered(250, 'sound');

  expect(await sweepOver(requestIds, () => false)).toEqual(requestIds);
});

it.each([
  ['fail', undefined],
  ['are unknown', () => 'unknown-request'],
] as const)('gets past requests that %s, however many they are', async (_, hopeless) => {
  const sound = numbered(150, 'sound');
  const all = [...numbered(250, 'hopeless'), ...sound];

  expect(await sweepOver(all, (id) => id.startsWith('hopeless'), hopeless)).toEqual(sound);
});
