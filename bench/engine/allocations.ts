import { GCProfiler, getHeapStatistics } from 'node:v8';
import type { CibaClient } from '#lib/ciba';
import type { StoredRegistration } from '#lib/persistence';
import { createPollingEngine, type PollingEngine } from '../../test/support/polling-engine.js';
import { serve } from '../harness/serve.js';

/** What so many polls have allocated on the heap, and what they have led to in the database. */
export interface Allocations {
  readonly bytesPerPoll: number;
  readonly writes: number;
}

const requests = 200;
const registration = { refusedCalls: [], fapi: false } as unknown as StoredRegistration;
const atOnce = { maxInFlight: 64, maxInFlightPerProvider: 64, pollsPerSecondPerProvider: 10_000_000 };

let engine: PollingEngine;
let polls = 0;
let awaited: { readonly at: number; readonly resolve: () => void } | null = null;

/** The provider answers at once: what is left is what the poller does itself. */
const ciba: Pick<CibaClient, 'poll'> = {
  poll: async () => {
    if (++polls === awaited?.at) awaited.resolve();
    return { kind: 'pending', retryAfterSeconds: null };
  },
};

const more = (number: number) =>
  new Promise<void>((resolve) => {
    awaited = { at: polls + number, resolve };
  });

/** Polls so often first: until the code is compiled it allocates more. */
async function start(warmUpPolls: number): Promise<void> {
  engine = await createPollingEngine(ciba, registration, atOnce);
  for (let at = 0; at < requests; at++) engine.admit(at, { intervalMs: 1, spreadMs: 0 });
  await more(warmUpPolls);
}

/** Counts bytes, not time: whatever is collected meanwhile is counted when it goes. */
async function measure(number: number): Promise<Allocations> {
  const profiler = new GCProfiler();
  profiler.start();
  const from = polls;
  const usedBefore = getHeapStatistics().used_heap_size;
  await more(number);
  let bytes = getHeapStatistics().used_heap_size - usedBefore;
  for (const { beforeGC, afterGC } of profiler.stop().statistics) {
    bytes += beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize;
  }
  return { bytesPerPoll: bytes / (polls - from), writes: engine.writes.length };
}

serve({ start, measure });
