import { Leaving, MemoryPhase } from './codes.js';
import { ownerName, pollerName } from './database.js';
import { drop } from './poller.js';
import type { PollerPart, State } from './state.js';
import { dateOf, momentOf, type Actor, type World } from './world.js';

/** A lease and its age, in ms: just renewed, no more polls by its owner's own clock, lapsed. */
const lease = { leaseMs: 10_000, marginMs: 3000 } as const;
const leaseAges = [0, 7000, 10_000] as const;

const ageOf = (state: State, p: number): number => {
  const { whole, pollers } = state;
  // Whoever lost the shard lost it because the lease had lapsed, by its own clock too.
  const isOwner = whole.owner === p + 1 && whole.epoch === pollers[p]!.epoch;
  return leaseAges[isOwner ? whole.leaseAge : 2]!;
};

/** Whether a poll may go out, as the poller sees it (`shard-leases.ts`). */
export function maySend(state: State, world: World, p: number): boolean {
  const { epoch, leaving } = state.pollers[p]!;
  return epoch !== 0 && leaving === Leaving.no && ageOf(state, p) < world.protocol.sendUntilMs(0, lease);
}

/** The leases of the one shard, as the pollers and the database handle them. */
export const shards: Actor = (state, world, go) => {
  const { whole, pollers } = state;
  const { protocol, bounds } = world;
  if (whole.owner !== 0 && whole.leaseAge < 2 && (bounds.pollers > 1 || whole.owner === 3)) {
    const ages = ['', 'runs out by its own clock', 'lapses'];
    go(`the lease of ${ownerName(whole.owner)!} ${ages[whole.leaseAge + 1]!}`, (next) => next.whole.leaseAge++);
  }
  pollers.forEach((poller, p) => {
    const name = `poller ${p + 1}`;
    if (poller.epoch === 0) {
      const isBlank = poller.alive === 0;
      // Processes that have not begun are alike: the first one begins for all.
      if (isBlank && pollers.findIndex(({ alive }) => alive === 0) !== p) return;
      const free = protocol.isFree(ownerName(whole.owner), leaseAges[whole.leaseAge]! >= lease.leaseMs, pollerName(p));
      // A living owner is robbed so often and no oftener; whoever comes after a dead one is always let in.
      const isRobbery = whole.owner === 1 || whole.owner === 2;
      if (!free || (isRobbery && whole.epoch >= bounds.epochs)) return;
      go(`${name} takes the shard (epoch ${whole.epoch + 1})`, (next) => {
        const { whole: shard } = next;
        const unclean = protocol.uncleanAfterTaking(
          ownerName(shard.owner),
          momentOf(shard.uncleanAt),
          dateOf(shard.tick),
        );
        shard.owner = p + 1;
        shard.epoch++;
        shard.leaseAge = 0;
        shard.uncleanAt = unclean === null ? 0 : unclean.getTime() / 1_000_000 + 1;
        Object.assign(next.pollers[p]!, { alive: 1, epoch: shard.epoch, uncleanAt: shard.uncleanAt, leaving: 0 });
      });
      return;
    }
    renew(state, world, go, p);
    handOver(state, world, go, p);
  });
};

function renew(state: State, world: World, go: Parameters<Actor>[2], p: number): void {
  const { whole, pollers } = state;
  const poller = pollers[p]!;
  const known = [{ shard: 0, epoch: poller.epoch, uncleanTakeoverAt: null }];
  const current = whole.owner === p + 1 ? [{ shard: 0, epoch: whole.epoch, uncleanTakeoverAt: null }] : [];
  const { lost, taken } = world.protocol.compareLeases(known, current);
  if (lost.length === 0 && whole.leaseAge === 0) return;
  go(`poller ${p + 1} renews its leases${lost.length > 0 ? ' and learns that the shard is lost' : ''}`, (next) => {
    if (current.length > 0) next.whole.leaseAge = 0;
    if (lost.length > 0) {
      dropAll(next, p);
      Object.assign(next.pollers[p]!, { epoch: 0, leaving: 0, uncleanAt: 0 });
    }
    if (taken.length > 0) next.pollers[p]!.epoch = whole.epoch;
  });
}

/** A shard beyond the fair share, or a process that stops: nothing new is sent, what is under way may end. */
function handOver(state: State, world: World, go: Parameters<Actor>[2], p: number): void {
  const { protocol, bounds } = world;
  const poller = state.pollers[p]!;
  const name = `poller ${p + 1}`;
  switch (poller.leaving) {
    case Leaving.no:
      if (state.whole.handOvers >= bounds.handOvers) return;
      return go(`${name} begins to give the shard away`, (next) => {
        next.whole.handOvers++;
        next.pollers[p]!.leaving = Leaving.stopped;
      });
    case Leaving.stopped: {
      const clean = !poller.memory.some((memory) => leavesDoubt(world, memory));
      return go(`${name} forgets its requests${clean ? '' : ' although not all is settled'}`, (next) => {
        dropAll(next, p);
        next.pollers[p]!.leaving = clean ? Leaving.clean : Leaving.unclean;
      });
    }
    default:
      return go(`${name} releases the shard ${poller.leaving === Leaving.clean ? 'clean' : 'as unclean'}`, (next) => {
        const { whole } = next;
        const leaving = next.pollers[p]!;
        if (whole.owner === p + 1) {
          const before = momentOf(whole.uncleanAt);
          const clean = leaving.leaving === Leaving.clean;
          const unclean = protocol.uncleanAfterRelease(clean, before, dateOf(whole.tick));
          whole.uncleanAt = unclean === null ? 0 : unclean.getTime() / 1_000_000 + 1;
          whole.owner = 0;
          whole.leaseAge = 2;
        }
        Object.assign(leaving, { epoch: 0, leaving: 0, uncleanAt: 0 });
      });
  }
}

const leavesDoubt = (world: World, memory: PollerPart['memory'][number]): boolean =>
  memory.phase !== MemoryPhase.absent &&
  world.protocol.leavesDoubt({
    phase: memory.phase === MemoryPhase.waiting ? 'waiting' : memory.phase === MemoryPhase.held ? 'held' : 'busy',
    doubt: memory.doubt === 1 || memory.lost === 1,
  });

/** Everything that a poller knows of the shard's requests goes. */
function dropAll(next: State, p: number): void {
  next.pollers[p]!.memory.forEach((memory, r) => {
    if (memory.phase !== MemoryPhase.absent) drop(next, p, r);
  });
}
