import { Random } from './random.js';

/** The processes of a run; there are two of each. */
export const services = ['rules-service', 'ciba-worker', 'poller', 'decision-service'] as const;
export type Service = (typeof services)[number];

/** What can be done to a running Assent. */
export const faultKinds = [
  'kill',
  'stop',
  'kill-postgres',
  'kill-broker',
  'wipe-broker',
  'broker-alarm',
  'unbind-queue',
  'dead-letter',
  'latency',
  'bandwidth',
  'slicer',
  'slow-close',
  'cut',
  'reset',
  'black-hole',
  'one-way',
  'half-open',
  'drop-commit-reply',
  'drop-confirm',
  'drop-token-reply',
  'drop-start-reply',
  'provider-5xx',
  'provider-429',
  'provider-slow',
  'provider-key-rotation',
  'sink-down',
  'sink-5xx',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What happens to one way between two processes. */
export const networkKinds = [
  'latency',
  'bandwidth',
  'slicer',
  'slow-close',
  'cut',
  'reset',
  'black-hole',
  'one-way',
  'half-open',
] as const satisfies readonly FaultKind[];
export type NetworkKind = (typeof networkKinds)[number];

export interface PlannedFault {
  readonly faultId: string;
  readonly kind: FaultKind;
  /** A process, a server, or the way of a process to a server, such as `poller-1 to postgres`. */
  readonly target: string;
  /** From the beginning of the load. */
  readonly atMs: number;
  readonly forMs: number;
  /** A number whose meaning depends on the kind: a delay, a rate, which reply. */
  readonly size: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly faults: number;
  readonly wipes: number;
  /** How long faults are put in. */
  readonly overMs: number;
}

/** Out of 300, wipes included: how many of each kind; what is left over is drawn from the faults of networks and replies. */
const shares: Readonly<Record<Exclude<FaultKind, 'wipe-broker'>, number>> = {
  kill: 50,
  'kill-postgres': 20,
  'kill-broker': 10,
  stop: 20,
  latency: 16,
  bandwidth: 6,
  slicer: 6,
  'slow-close': 4,
  cut: 18,
  reset: 22,
  'black-hole': 16,
  'one-way': 8,
  'half-open': 8,
  'drop-commit-reply': 20,
  'drop-confirm': 12,
  'drop-token-reply': 16,
  'drop-start-reply': 8,
  'provider-5xx': 6,
  'provider-429': 4,
  'provider-slow': 4,
  'provider-key-rotation': 2,
  'sink-down': 8,
  'sink-5xx': 4,
  'broker-alarm': 3,
  'unbind-queue': 3,
  'dead-letter': 2,
};

/** What every run has, in this order, before anything is left to chance. */
const always: readonly (readonly [FaultKind, string, number?])[] = [
  ['kill', 'decision-service-1'],
  ['kill', 'ciba-worker-1'],
  ['unbind-queue', 'broker'],
  ['drop-start-reply', 'provider'],
  ['kill', 'poller-1'],
  // Few persons answer while pollers are down: it waits for one who does.
  ['drop-token-reply', 'provider', 25_000],
  ['drop-commit-reply', 'rules-service-1 to postgres'],
  ['stop', 'poller-2'],
  ['kill-broker', 'broker'],
  ['provider-429', 'provider'],
  ['kill', 'rules-service-2'],
  ['drop-confirm', 'rules-service-1 to broker'],
  ['kill-postgres', 'postgres'],
  ['sink-down', 'sink-1'],
  ['reset', 'poller-1 to postgres'],
  // Longer than a lease: what it would record meanwhile, it records when the shard is somebody else's.
  ['black-hole', 'poller-2 to postgres', 9_500],
  ['black-hole', 'poller-1 to postgres', 9_500],
  // Thawed when the other poller has its shards and has not polled yet: never both at a time, or nobody takes over.
  ['kill', 'rules-service-1'],
  ['sink-down', 'sink-2'],
  ['drop-confirm', 'decision-service-1 to broker'],
  ['kill', 'ciba-worker-2'],
  ['stop', 'poller-1', 7_000],
  ['kill', 'decision-service-2'],
  ['drop-start-reply', 'provider'],
  ['drop-commit-reply', 'ciba-worker-1 to postgres'],
  ['sink-5xx', 'sink-1'],
  ['kill', 'rules-service-2'],
  ['stop', 'poller-2', 7_000],
  ['kill', 'ciba-worker-1'],
  ['sink-down', 'sink-1'],
  ['drop-confirm', 'ciba-worker-2 to broker'],
  ['kill', 'decision-service-1'],
  ['stop', 'poller-1', 7_400],
];

/** Kinds after which the broker needs a while before it is hurt again. */
const brokerKinds: ReadonlySet<FaultKind> = new Set([
  'kill-broker',
  'wipe-broker',
  'broker-alarm',
  'unbind-queue',
  'dead-letter',
]);

/** Every fault of a run; the same for the same options. */
export function planFaults({ seed, faults, wipes, overMs }: PlanOptions): PlannedFault[] {
  const random = new Random(seed, 'faults');
  const scripted = always.slice(0, faults);
  const drawn = drawKinds(random, faults, wipes, scripted);
  const mixed = spreadBroker([...drawn], random);
  const chosen: (typeof always)[number][] = [
    ...scripted,
    ...mixed.map((kind) => [kind, targetOf(kind, random)] as const),
  ];
  const spacingMs = overMs / Math.max(1, chosen.length);
  return chosen.map(([kind, target, forMs], at) => ({
    faultId: `f${at + 1}`,
    kind,
    target,
    atMs: Math.round(at * spacingMs + random.next() * spacingMs * 0.6),
    ...extent(kind, random),
    ...(forMs !== undefined && { forMs }),
  }));
}

function drawKinds(random: Random, faults: number, wipes: number, scripted: typeof always): FaultKind[] {
  const left = faults - scripted.length;
  const kinds: FaultKind[] = Array.from({ length: Math.min(wipes, left) }, () => 'wipe-broker' as const);
  for (const [kind, share] of Object.entries(shares) as [FaultKind, number][]) {
    const wanted = Math.floor((share * faults) / 300) - scripted.filter(([known]) => known === kind).length;
    for (let n = 0; n < wanted; n++) kinds.push(kind);
  }
  const network = (Object.entries(shares) as [FaultKind, number][]).filter(
    ([kind]) => !brokerKinds.has(kind) && !['kill', 'stop', 'kill-postgres'].includes(kind),
  );
  while (kinds.length < left) kinds.push(random.weighted(network));
  return random.shuffled(kinds.slice(0, left));
}

/** Puts the faults of the broker at even distances, so that it comes back in between. */
function spreadBroker(kinds: readonly FaultKind[], random: Random): FaultKind[] {
  const broker = random.shuffled(kinds.filter((kind) => brokerKinds.has(kind)));
  const others = kinds.filter((kind) => !brokerKinds.has(kind));
  if (broker.length === 0) return others;
  const mixed: FaultKind[] = [];
  const every = kinds.length / broker.length;
  for (let at = 0; at < kinds.length; at++) {
    const due = Math.floor((at + every / 2) / every) > Math.floor((at - 1 + every / 2) / every);
    mixed.push((due && broker.shift()) || others.shift() || broker.shift()!);
  }
  return mixed;
}

function targetOf(kind: FaultKind, random: Random): string {
  const process = `${random.pick(services)}-${random.int(1, 2)}`;
  switch (kind) {
    case 'kill':
      return process;
    case 'stop':
      // Pollers most of all: theirs is a lease that ends meanwhile.
      return random.chance(0.5) ? `poller-${random.int(1, 2)}` : process;
    case 'kill-postgres':
      return 'postgres';
    case 'kill-broker':
    case 'wipe-broker':
    case 'broker-alarm':
    case 'unbind-queue':
    case 'dead-letter':
      return 'broker';
    case 'drop-commit-reply':
      return `${process} to postgres`;
    case 'drop-confirm':
      return `${process} to broker`;
    case 'drop-token-reply':
    case 'drop-start-reply':
    case 'provider-5xx':
    case 'provider-429':
    case 'provider-slow':
    case 'provider-key-rotation':
      return 'provider';
    case 'sink-down':
    case 'sink-5xx':
      return `sink-${random.int(1, 2)}`;
    case 'latency':
    case 'bandwidth':
    case 'slicer':
    case 'slow-close':
    case 'cut':
    case 'reset':
    case 'black-hole':
    case 'one-way':
    case 'half-open':
      return random.weighted([
        [`${process} to postgres`, 40],
        [`${process} to broker`, 25],
        ['provider', 15],
        [`api-${random.int(1, 2)}`, 15],
        [`sink-${random.int(1, 2)}`, 5],
      ]);
  }
}

function extent(kind: FaultKind, random: Random): { forMs: number; size: number } {
  switch (kind) {
    case 'kill':
      return { forMs: random.int(0, 2_500), size: 0 };
    case 'stop':
      // Longer than a lease, and longer than the time limits of most calls.
      return { forMs: random.chance(0.5) ? random.int(6_300, 7_800) : random.int(8_000, 14_000), size: 0 };
    case 'kill-postgres':
    case 'kill-broker':
    case 'wipe-broker':
      return { forMs: random.int(0, 2_000), size: 0 };
    case 'broker-alarm':
      return { forMs: random.int(4_000, 8_000), size: 0 };
    case 'unbind-queue':
    case 'dead-letter':
      return { forMs: random.int(2_000, 4_000), size: 0 };
    case 'latency':
      return { forMs: random.int(3_000, 9_000), size: random.int(40, 500) };
    case 'bandwidth':
      return { forMs: random.int(3_000, 8_000), size: random.int(4_000, 40_000) };
    case 'slicer':
      return { forMs: random.int(3_000, 8_000), size: random.int(1, 60) };
    case 'slow-close':
      return { forMs: random.int(3_000, 8_000), size: random.int(500, 3_000) };
    case 'cut':
      return { forMs: random.int(500, 4_000), size: 0 };
    case 'reset':
      return { forMs: 0, size: 0 };
    case 'black-hole':
    case 'one-way':
    case 'half-open':
      return { forMs: random.int(2_000, 12_000), size: random.int(0, 1) };
    case 'drop-commit-reply':
    case 'drop-confirm':
      return { forMs: 8_000, size: random.int(1, 5) };
    case 'drop-token-reply':
    case 'drop-start-reply':
      return { forMs: 8_000, size: random.int(1, 3) };
    case 'provider-5xx':
    case 'provider-429':
      return { forMs: random.int(1_500, 5_000), size: random.int(1, 3) };
    case 'provider-slow':
      return { forMs: random.int(2_000, 5_000), size: random.int(300, 2_500) };
    case 'provider-key-rotation':
      return { forMs: 0, size: 0 };
    case 'sink-down':
    case 'sink-5xx':
      return { forMs: random.int(500, 3_500), size: 0 };
  }
}
