import type { Contestant, Sample } from './contestant.js';
import { busyMicros } from './processor-time.js';

/** All runs of one contestant that count. */
export interface Series {
  readonly name: string;
  readonly kind: Contestant['kind'];
  readonly samples: readonly MeasuredSample[];
}

export interface MeasuredSample extends Sample {
  /** The share of the machine that was busy with anything but this benchmark while it ran, from 0 to 1. */
  readonly foreignShare: number;
}

export interface RoundsOptions {
  readonly rounds: number;
  readonly quick: boolean;
  /** Processor time that belongs to the benchmark, all of its processes together, in µs. */
  readonly ownMicros: () => number;
  readonly cores: number;
  readonly tell: (text: string) => void;
  /** What is done once everybody is warm, before anything counts. */
  readonly warmedUp: () => Promise<void>;
}

/**
 * Lets everybody run in turn, round after round: what disturbs the machine disturbs all alike. The warm-up before is at least as
 * long as a round, for code is compiled while it runs.
 */
export async function runInterleaved(contestants: readonly Contestant[], options: RoundsOptions): Promise<Series[]> {
  const { rounds, quick, tell } = options;
  for (const contestant of contestants) {
    tell(`warm-up: ${contestant.name}`);
    await contestant.run({ warmUp: true, round: 0, quick });
  }
  await options.warmedUp();
  const samples = contestants.map((): MeasuredSample[] => []);
  for (let round = 1; round <= rounds; round++) {
    for (const [at, contestant] of contestants.entries()) {
      tell(`round ${round} of ${rounds}: ${contestant.name}`);
      const foreign = watchForeign(options);
      const sample = await contestant.run({ warmUp: false, round, quick });
      samples[at]!.push({ ...sample, foreignShare: foreign() });
    }
  }
  return contestants.map(({ name, kind }, at) => ({ name, kind, samples: samples[at]! }));
}

function watchForeign({ ownMicros, cores }: RoundsOptions): () => number {
  const startedAt = performance.now();
  const busy = busyMicros();
  const own = ownMicros();
  return () => {
    const available = (performance.now() - startedAt) * 1000 * cores;
    return Math.max(0, (busyMicros() - busy - (ownMicros() - own)) / available);
  };
}
