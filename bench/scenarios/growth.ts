import { setTimeout as pause } from 'node:timers/promises';
import type { EngineConfig, EngineReport } from '../engine/main.js';
import type { Contestant } from '../harness/contestant.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Program } from '../harness/program.js';
import type { Stage } from '../harness/stage.js';
import type { LoopsReport, OpenidClientLoops } from '../peers/openid-client-loops.js';
import { atMost, costOf, figure, notMore } from './compare.js';
import type { Scenario } from './scenario.js';

const sizes = [1_000, 10_000, 100_000, 1_000_000] as const;
const largest = sizes[sizes.length - 1]!;
const pollsPerSecond = 8_000;
const nameOf = (size: number): string =>
  size === largest ? 'Assent' : `Assent with ${size.toLocaleString('en-GB')} pending`;
const memory = 'bytes/pending';
const loops = 500;
const library = `openid-client's own loop for each of ${loops}`;

type Report = LoopsReport & Partial<EngineReport>;

/** B16: what a poll costs, and what a request takes in memory, whatever the number of pending requests. */
export const growth: Scenario = {
  name: 'growth',
  ids: ['B16', 'B6'],
  title: 'A thousand pending, or a million',
  unit: 'polls',
  takes: { prepare: 25, round: 16 },
  notQuick: true,
  atMostRounds: 3,
  rateIsSet: true,
  says: `one poller's engine with ${sizes.map((size) => size.toLocaleString('en-GB')).join(', ')} pending requests, ${pollsPerSecond} polls a second to the stub of a provider whatever their number; without a database, which no poll needs`,
  prepare: async (stage) => {
    await stage.outside.call('behave', { approveAfterMs: null, interval: 5, expiresIn: 7200, track: false });
    const contestants: Contestant[] = [];
    for (const pending of [...sizes].reverse()) contestants.push(await engineWith(stage, pending));
    return [...contestants, await libraryLoops(stage)];
  },
  targets: (series) => [
    ...sizes
      .slice(0, -1)
      .map((size) => atMost(series, 1.2, 'Assent', nameOf(size), costOf, `processor time for each poll`)),
    atMost(series, 1.2, 'Assent', nameOf(sizes[2]), figure(memory), 'bytes for each pending request'),
    notMore(series, 1024, 'bytes for each pending request', figure(memory)),
    atMost(series, 0.2, 'Assent', library, figure(memory), 'bytes for each pending request'),
  ],
};

async function libraryLoops(stage: Stage): Promise<Contestant> {
  const { issuer } = stage.outside.started;
  const config: OpenidClientLoops = { issuer, pending: loops, intervalSeconds: 1 };
  return gated(stage, library, 'peer', await stage.program('peers/openid-client-loops.ts', config, ['--expose-gc']));
}

async function engineWith(stage: Stage, pending: number): Promise<Contestant> {
  const { issuer } = stage.outside.started;
  const config: EngineConfig = { issuer, pending, pollsPerSecond, inFlight: 64 };
  const program = await stage.program('engine/main.ts', config, ['--expose-gc']);
  return gated(stage, nameOf(pending), pending === largest ? 'assent' : 'limit', program);
}

/** Somebody who polls by himself, and only while it is his turn. */
function gated(stage: Stage, name: string, kind: Contestant['kind'], program: Program): Contestant {
  return {
    name,
    kind,
    run: async (turn) => {
      await program.call('open');
      try {
        // Whatever is new is slower at first.
        await pause(turn.warmUp ? 2_500 : 1_000);
        const meter = stage.meter([program.pid]);
        const first = await program.call<Report>('report');
        const [before, startedAt] = [meter.read(), performance.now()];
        await pause(turn.quick ? 1_500 : 2_500);
        const micros = usedBetween(before, meter.read());
        const seconds = (performance.now() - startedAt) / 1000;
        const { polls, bytesPerPending, writes = 0 } = await program.call<Report>('report');
        if (writes > 0) throw new Error(`Polls have led to ${writes} statements.`);
        return { operations: polls - first.polls, seconds, micros, figures: { [memory]: bytesPerPending } };
      } finally {
        await program.call('close');
      }
    },
  };
}
