import type { Bounds } from './world.js';

/** A world in which nothing goes wrong; scenarios say what does. */
const plain: Bounds = {
  requests: 1,
  workers: 1,
  pollers: 1,
  attempts: 3,
  consumers: 1,
  recorders: 1,
  canceller: false,
  deliveryMode: 'poll',
  onInitiationUnknown: 'fail',
  rewords: false,
  ruleChanges: false,
  lastTick: 2,
  consumeWithinTicks: 1,
  hints: 1,
  crashes: 0,
  losses: 0,
  lies: 0,
  pauses: 0,
  handOvers: 0,
  epochs: 1,
  startsPending: false,
  clockAhead: 0,
};

export const aWorld = (more: Partial<Bounds> = {}): Bounds => ({ ...plain, ...more });

/** A request whose prompt is out, and nobody who uses its approval: the world of the pollers. */
export const aPendingWorld = (more: Partial<Bounds> = {}): Bounds =>
  aWorld({ startsPending: true, pollers: 2, consumers: 0, workers: 0, attempts: 1, hints: 0, lastTick: 1, ...more });

export interface Scenario {
  readonly name: string;
  readonly bounds: Bounds;
}

const scenario = (name: string, bounds: Bounds): Scenario => ({ name, bounds });

/** What every run of the tests goes through, to the last state. */
export const everyRun: readonly Scenario[] = [
  scenario('a whole life with a caller who withdraws and two who use it', aWorld({ consumers: 2, canceller: true })),
  scenario(
    'two workers, a copy of the event, a crash and a pause',
    aWorld({ workers: 2, hints: 2, crashes: 1, pauses: 1, consumers: 0, lastTick: 1 }),
  ),
  scenario(
    'two workers that may ask twice, and a lost answer',
    aWorld({
      workers: 2,
      losses: 1,
      onInitiationUnknown: 'ask-again',
      consumers: 0,
      lastTick: 0,
      ruleChanges: true,
    }),
  ),
  scenario(
    'two workers and a text that is refused',
    aWorld({ workers: 2, hints: 2, rewords: true, losses: 1, consumers: 0, lastTick: 0 }),
  ),
  scenario('a text that is refused, and a crash', aWorld({ rewords: true, crashes: 1, consumers: 0 })),
  scenario('two pollers, a crash and a take-over', aPendingWorld({ crashes: 1, epochs: 2 })),
  scenario('two pollers, a lost answer and a take-over', aPendingWorld({ losses: 1, epochs: 2 })),
  scenario('two pollers and a shard that is handed over', aPendingWorld({ handOvers: 1, epochs: 2, clockAhead: 1 })),
  scenario('a poller and a provider that lies twice', aPendingWorld({ pollers: 1, lies: 2, losses: 1, lastTick: 2 })),
  scenario('two requests and a provider that mixes their tokens', aPendingWorld({ pollers: 1, requests: 2, lies: 1 })),
  scenario(
    'pings, also before the start answer',
    aWorld({ deliveryMode: 'ping', losses: 1, consumers: 0, lastTick: 1 }),
  ),
  scenario(
    'pushes, also before the start answer',
    aWorld({ deliveryMode: 'push', losses: 1, lies: 1, consumers: 0, lastTick: 1 }),
  ),
];

/** What `npm run explore` goes through beside it: the same with more that goes wrong. */
export const largeRun: readonly Scenario[] = [
  scenario(
    'two workers that may ask twice, a lost answer and a pause',
    aWorld({
      workers: 2,
      losses: 1,
      pauses: 1,
      onInitiationUnknown: 'ask-again',
      consumers: 0,
      lastTick: 0,
      ruleChanges: true,
    }),
  ),
  scenario(
    'two pollers, two lost answers, a crash and a take-over',
    aPendingWorld({ losses: 2, crashes: 1, epochs: 2 }),
  ),
  scenario(
    'two pollers, a hand-over, a crash and three owners',
    aPendingWorld({ handOvers: 1, crashes: 1, epochs: 3, clockAhead: 1 }),
  ),
  scenario(
    'two workers, a crash, a pause and lost answers',
    aWorld({
      workers: 2,
      hints: 2,
      crashes: 1,
      pauses: 1,
      losses: 1,
      consumers: 0,
      lastTick: 1,
      onInitiationUnknown: 'ask-again',
    }),
  ),
  scenario(
    'a whole life with a crash and a lost answer',
    aWorld({ consumers: 2, canceller: true, crashes: 1, losses: 1 }),
  ),
  scenario(
    'two recorders, two consumers and lost replies',
    aWorld({ consumers: 2, recorders: 2, losses: 2, startsPending: true }),
  ),
  scenario(
    'pings with a crash and a lie',
    aWorld({ deliveryMode: 'ping', crashes: 1, losses: 1, lies: 1, consumers: 0, lastTick: 1 }),
  ),
  scenario(
    'pushes with a crash and a lie',
    aWorld({ deliveryMode: 'push', crashes: 1, losses: 1, lies: 1, consumers: 0, lastTick: 1, epochs: 2 }),
  ),
  scenario('two requests, a lie and a lost answer', aPendingWorld({ pollers: 1, requests: 2, lies: 1, losses: 1 })),
];
