import type { DueRequest } from '../../apps/poller/src/polling-turn.js';
import type { Polled } from '../../apps/poller/src/after-poll.js';
import { evidenceOf, MemoryPhase, Status, statusOf, writeCommand } from './codes.js';
import { clearJob, pollerName, stepJob, type Client } from './database.js';
import { markUsed, pollOutcomes, repliesToPoll } from './provider.js';
import { clear } from './section.js';
import { maySend } from './shards.js';
import type { MemoryPart, State } from './state.js';
import { momentOf, tickMs, type Actor, type Go, type World } from './world.js';

/** The pollers and what each of them remembers of each request (`polling-schedule.ts`). */
export const pollers: Actor = (state, world, go) => {
  state.pollers.forEach((poller, p) => {
    if (poller.alive === 0) return;
    poller.memory.forEach((memory, r) => {
      if (poller.epoch !== 0) admit(state, world, go, p, r);
      if (memory.phase !== MemoryPhase.absent) stepMemory(state, world, go, p, r);
    });
  });
};

const nameOf = (p: number): string => `poller ${p + 1}`;
const remembered = (state: State, p: number, r: number): MemoryPart => state.pollers[p]!.memory[r]!;

/** The poller's own clock, in ms; the database's may be a little behind. */
const clockMs = (state: State, world: World, p: number): number =>
  (state.whole.tick + (p === 0 ? world.bounds.clockAhead : 0)) * tickMs;

function dueRequest(state: State, world: World, p: number, r: number): DueRequest {
  const { phase, resolving } = remembered(state, p, r);
  return {
    phase: phase === MemoryPhase.waiting ? 'waiting' : phase === MemoryPhase.held ? 'held' : 'busy',
    deliveryMode: world.bounds.deliveryMode,
    deadlineMs: deadlineMs(state, r),
    resolving: resolving === 1,
  };
}

const deadlineMs = (state: State, r: number): number => (state.requests[r]!.row.expiresAt - 1) * tickMs;

/** A hint, a take-over or a sweep: what the database says is pending is taken in (`adopt-pending.ts`). */
function admit(state: State, world: World, go: Go, p: number, r: number): void {
  const { bounds, protocol } = world;
  const memory = remembered(state, p, r);
  const { row } = state.requests[r]!;
  const { deliveryMode } = bounds;
  if (memory.phase !== MemoryPhase.absent) {
    if (row.status !== Status.pending) {
      if (isBusy(memory)) return;
      go(`${nameOf(p)} hears that request ${r + 1} has ended`, (next) => forget(next, p, r));
    } else if (memory.phase === MemoryPhase.waiting && deliveryMode === 'push' && row.heldToken !== 0) {
      go(`${nameOf(p)} hears that an answer was pushed`, (next) => judgeHeld(next, p, r));
    }
    return;
  }
  if (row.status !== Status.pending || !protocol.mayAdmit(state.pollers[p]!.leaving)) return;
  const unclean = momentOf(state.pollers[p]!.uncleanAt);
  const mayHaveLost = protocol.mayHaveLostAnswer(unclean, momentOf(row.sentAt)!);
  const { takenOver, first } = protocol.admissionOf({ deliveryMode, held: row.heldToken !== 0 }, mayHaveLost);
  go(`${nameOf(p)} takes request ${r + 1} in${takenOver ? ', which an owner before it may have lost' : ''}`, (next) => {
    const taken = remembered(next, p, r);
    taken.phase = MemoryPhase.waiting;
    taken.takenOver = takenOver ? 1 : 0;
    if (first === 'judge-held') judgeHeld(next, p, r);
  });
}

function judgeHeld(next: State, p: number, r: number): void {
  const memory = remembered(next, p, r);
  const { row } = next.requests[r]!;
  memory.phase = MemoryPhase.verifying;
  memory.token = row.heldToken;
  memory.storedAt = row.heldAt;
  memory.stored = row.heldAt < row.expiresAt ? 1 : 2;
}

const isBusy = ({ phase }: MemoryPart): boolean => phase > MemoryPhase.held;

/** Removes a request from memory, or says that it goes when what is under way has ended. */
export function drop(next: State, p: number, r: number): void {
  const memory = remembered(next, p, r);
  if (isBusy(memory)) memory.dropped = 1;
  else forget(next, p, r);
}

function forget(next: State, p: number, r: number): void {
  clear(remembered(next, p, r));
  clearJob(remembered(next, p, r).job);
}

/** Back to waiting; what was dropped meanwhile goes. */
function await_(next: State, p: number, r: number, phase: number = MemoryPhase.waiting): void {
  const memory = remembered(next, p, r);
  if (memory.dropped === 1) return forget(next, p, r);
  memory.phase = phase;
  memory.outcome = memory.epoch = 0;
  if (phase === MemoryPhase.waiting) memory.token = 0;
  clearJob(memory.job);
}

function stepMemory(state: State, world: World, go: Go, p: number, r: number): void {
  const name = nameOf(p);
  const memory = remembered(state, p, r);
  switch (memory.phase) {
    case MemoryPhase.waiting:
    case MemoryPhase.held:
      return takeTurn(state, world, go, p, r);
    case MemoryPhase.sending:
      return reach(state, world, go, p, r);
    case MemoryPhase.answered:
      return readAnswer(state, world, go, p, r);
    case MemoryPhase.verifying:
      return verify(state, world, go, p, r);
    case MemoryPhase.holding:
      return go(`${name} stores the answer sealed`, (next) => {
        const held = remembered(next, p, r);
        const { row } = next.requests[r]!;
        if (world.protocol.mayHold({ status: statusOf(row.status), held: row.heldToken !== 0 })) {
          row.heldToken = held.token;
          row.heldAt = next.whole.tick + 1;
        }
        held.stored = clockMs(next, world, p) < deadlineMs(next, r) ? 1 : 2;
        held.storedAt = next.whole.tick + 1;
        await_(next, p, r, MemoryPhase.held);
      });
    case MemoryPhase.concluding:
      return stepJob(state, world, go, clientOf(world, p, r));
  }
}

function polled(state: State, p: number, r: number, epoch: number): Polled {
  const memory = remembered(state, p, r);
  const intervalMs = 5000 * (1 + memory.slowed);
  return {
    intervalMs,
    spacingMs: intervalMs,
    deadlineMs: deadlineMs(state, r),
    sentAtMs: state.whole.tick * tickMs,
    doubt: memory.doubt === 1,
    lost: memory.lost === 1,
    // Refused clients are not modelled.
    barred: false,
    takenOver: memory.takenOver === 1,
    resolving: memory.resolving === 1,
    failures: 0,
    polls: 0,
    fence: { shard: 0, owner: pollerName(p), epoch },
  };
}

function takeTurn(state: State, world: World, go: Go, p: number, r: number): void {
  const name = nameOf(p);
  const nowMs = clockMs(state, world, p);
  const { epoch } = state.pollers[p]!;
  switch (world.protocol.turnOf(dueRequest(state, world, p, r), maySend(state, world, p), nowMs)) {
    case 'look-again':
    case 'keep-ready':
      return;
    case 'verify-held':
      return go(`${name} verifies the stored answer again`, (next) => {
        remembered(next, p, r).phase = MemoryPhase.verifying;
      });
    case 'make-ready': {
      const { resolving } = remembered(state, p, r);
      const aheadMs = (p === 0 ? world.bounds.clockAhead : 0) * tickMs;
      if (resolving === 1 && nowMs < world.protocol.resolutionPollMs(deadlineMs(state, r), nowMs, aheadMs)) return;
      return go(`${name} begins to ask about request ${r + 1}`, (next) => {
        const memory = remembered(next, p, r);
        memory.phase = MemoryPhase.sending;
        memory.epoch = epoch;
      });
    }
    case 'decide': {
      const step = world.protocol.atDeadline(polled(state, p, r, epoch));
      if (step.kind === 'resolve') {
        return go(`${name} asks once more after the deadline`, (next) => (remembered(next, p, r).resolving = 1));
      }
      if (step.kind !== 'conclude') throw new Error(`The deadline leads to ${step.kind}.`);
      const { command } = step;
      return go(`${name} decides at the deadline: ${command.type}`, (next) => conclude(next, p, r, command));
    }
    case 'look-for-push':
      return go(`${name} looks for an answer that was pushed`, (next) => {
        if (next.requests[r]!.row.heldToken !== 0) return judgeHeld(next, p, r);
        if (nowMs < deadlineMs(next, r)) return;
        const fence = { shard: 0, owner: pollerName(p), epoch };
        conclude(next, p, r, { type: 'expire', fence, polls: 0 });
      });
  }
}

/** A poll reaches the provider, sooner or later, or does not. */
function reach(state: State, world: World, go: Go, p: number, r: number): void {
  const { authReqId } = state.requests[r]!.row;
  for (const reply of repliesToPoll(state, world, r, authReqId)) {
    go(
      `${nameOf(p)} asks about request ${r + 1}: ${reply.label}`,
      (next) => {
        if (reply.cost) next.whole[reply.cost]++;
        if (reply.inTransit) next.grants[authReqId - 1]!.inTransit = 1;
        markUsed(next, authReqId, reply.used);
        const memory = remembered(next, p, r);
        memory.phase = MemoryPhase.answered;
        memory.outcome = reply.outcome;
        memory.token = reply.token;
      },
      reply.kind,
    );
  }
}

function readAnswer(state: State, world: World, go: Go, p: number, r: number): void {
  const memory = remembered(state, p, r);
  const outcome = pollOutcomes[memory.outcome]!;
  const nowMs = clockMs(state, world, p);
  const item = polled(state, p, r, memory.epoch);
  const step = world.protocol.afterPoll(item, outcome, nowMs);
  switch (step.kind) {
    case 'wait':
      world.protocol.onWait(item, outcome, step, nowMs);
      return go(`${nameOf(p)} reads "${outcome.kind}" and waits${step.rhythm.doubt ? ', in doubt' : ''}`, (next) => {
        const kept = remembered(next, p, r);
        kept.doubt = step.rhythm.doubt ? 1 : 0;
        kept.lost = step.rhythm.lost ? 1 : 0;
        kept.slowed = step.rhythm.intervalMs / 5000 - 1;
        await_(next, p, r);
      });
    case 'verify':
      return go(`${nameOf(p)} receives tokens`, (next) => {
        const kept = remembered(next, p, r);
        kept.phase = MemoryPhase.verifying;
        kept.outcome = kept.stored = 0;
        kept.storedAt = next.whole.tick + 1;
      });
    case 'conclude': {
      const { command } = step;
      return go(`${nameOf(p)} reads "${outcome.kind}": ${command.type}`, (next) => conclude(next, p, r, command));
    }
  }
}

function conclude(next: State, p: number, r: number, command: Parameters<typeof writeCommand>[1]): void {
  const memory = remembered(next, p, r);
  memory.phase = MemoryPhase.concluding;
  memory.outcome = memory.epoch = 0;
  writeCommand(memory.job, command);
}

const invalidEvidence = {
  type: 'fail',
  reason: 'invalid_evidence',
  providerError: null,
  fence: null,
  polls: 0,
} as const;

/** `verify-answer.ts`: the tokens prove the approval, or nothing, or their keys cannot be had. */
function verify(state: State, world: World, go: Go, p: number, r: number): void {
  const name = nameOf(p);
  const { token, stored, storedAt } = remembered(state, p, r);
  const { authReqId } = state.requests[r]!.row;
  if (!world.protocol.proves(token, authReqId, world.bounds.deliveryMode)) {
    go(`${name} finds that the tokens prove nothing`, (next) => conclude(next, p, r, invalidEvidence));
  } else {
    go(`${name} verifies the tokens`, (next) =>
      conclude(next, p, r, {
        type: 'approve',
        evidence: evidenceOf(token),
        grantedScope: 'openid',
        consumeWithinSeconds: 0,
        releasedToken: null,
        held: world.protocol.isHeld(stored),
        polls: 0,
      }),
    );
  }
  if (stored !== 0) {
    const arrived = { answer: answerOf(), receivedAtMs: (storedAt - 1) * tickMs, stored: null };
    if (clockMs(state, world, p) < world.protocol.patienceEndsMs(deadlineMs(state, r), arrived)) return;
    return go(`${name} has waited for the keys long enough`, (next) => conclude(next, p, r, invalidEvidence));
  }
  if (state.whole.losses >= world.bounds.losses) return;
  go(
    `${name} cannot get the keys`,
    (next) => {
      next.whole.losses++;
      remembered(next, p, r).phase = MemoryPhase.holding;
    },
    'fault',
  );
}

const answerOf = () => {
  const outcome = pollOutcomes.find(({ kind }) => kind === 'tokens')!;
  if (outcome.kind !== 'tokens') throw new Error('no tokens');
  return outcome.answer;
};

function clientOf(world: World, p: number, r: number): Client {
  return {
    name: nameOf(p),
    owner: pollerName(p),
    request: r,
    job: (state) => remembered(state, p, r).job,
    ended: (next, command, result) => {
      const after = world.protocol.afterChange(command, result);
      if (after === 'concluded') return forget(next, p, r);
      if (after === 'not-due') return await_(next, p, r);
      writeCommand(remembered(next, p, r).job, after);
    },
  };
}
