import { expect, it } from '@jest/globals';
import { Program } from '../harness/program.js';
import { median } from '../harness/statistics.js';
import type { Allocations } from './allocations.js';

/**
 * What one poll may allocate around its HTTP call, in bytes: a third above what it does. Bytes are the same on any
 * machine; in a process of its own, since what a test runner adds is several times as much.
 */
const mostBytesPerPoll = 5_600;

it('a poll writes nothing, and allocates little beside its HTTP call', async () => {
  const program = await Program.start('engine/allocations.ts', 20_000);
  try {
    const measured: Allocations[] = [];
    for (let round = 0; round < 3; round++) measured.push(await program.call<Allocations>('measure', 20_000));
    const bytes = median(measured.map(({ bytesPerPoll }) => bytesPerPoll));
    expect(bytes).toBeLessThan(mostBytesPerPoll);
    expect(bytes).toBeGreaterThan(500);
    expect(measured.at(-1)!.writes).toBe(0);
  } finally {
    await program.stop();
  }
}, 120_000);
