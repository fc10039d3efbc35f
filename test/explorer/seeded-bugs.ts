import { isRefusal, type Command, type Snapshot, type Status, type Transition } from '#lib/domain';
import type { Step } from '../../apps/poller/src/after-poll.js';
import { production, type Protocol } from './protocol.js';
import { aPendingWorld, aWorld } from './scenarios.js';
import type { Bounds } from './world.js';

/** A mistake that somebody could make, put into the wiring; production has no switch for it. */
export interface SeededBug {
  readonly name: string;
  /** How the name of the invariant that it breaks begins. */
  readonly breaks: string;
  readonly bounds: Bounds;
  readonly protocol: Protocol;
}

const bug = (name: string, breaks: string, bounds: Bounds, change: Partial<Protocol>): SeededBug => ({
  name,
  breaks,
  bounds,
  protocol: { ...production, ...change },
});

/** A rule that applies where the real one refuses. */
const alsoLegal =
  (
    applies: (request: Snapshot, command: Command) => { to: Status; changes?: Transition['changes'] } | null,
  ): Protocol['decide'] =>
  (request, command, now) => {
    const answer = production.decide(request, command, now);
    const wrong = isRefusal(answer) ? applies(request, command) : null;
    if (wrong === null) return answer;
    return {
      requestId: request.id,
      from: request.status,
      guard: 'none',
      fence: null,
      changes: {},
      timeline: [],
      ...wrong,
    };
  };

/** The guard does not look. */
const without =
  (guard: Transition['guard']): Protocol['passes'] =>
  (row, transition, shard, now) =>
    production.passes(row, transition.guard === guard ? { ...transition, guard: 'none' } : transition, shard, now);

const afterPoll =
  (change: (step: Step, ...asked: Parameters<Protocol['afterPoll']>) => Step): Protocol['afterPoll'] =>
  (...asked) =>
    change(production.afterPoll(...asked), ...asked);

const askAgain: Protocol['afterUnknownStart'] = (_id, prompts) => ({
  kind: 'again',
  close: 'unknown',
  inMs: 0,
  earlierPrompts: prompts,
});

const usable = aWorld({ startsPending: true, workers: 0, attempts: 1 });
const rewording = aWorld({
  workers: 2,
  rewords: true,
  pauses: 1,
  onInitiationUnknown: 'ask-again',
  consumers: 0,
  lastTick: 0,
});
const twoWorkers = aWorld({ workers: 2, hints: 2, consumers: 0, lastTick: 0 });

/** The first twelve are those that broke an earlier design of this kind of system; the others are our own. */
export const seededBugs: readonly SeededBug[] = [
  bug('the state is written blindly', 'I3', aPendingWorld({ canceller: true }), {
    passes: (row, transition, shard, now) =>
      production.passes({ ...row, status: transition.from }, transition, shard, now),
  }),
  bug('invalid_grant is read as a denial', 'I5', aPendingWorld({ losses: 1 }), {
    afterPoll: afterPoll((step, _item, { kind }) =>
      kind === 'invalid-grant' ? { kind: 'conclude', command: { type: 'deny', providerError: null, polls: 0 } } : step,
    ),
  }),
  bug('the deadline forgets that an answer was lost', 'I13', aPendingWorld({ losses: 1 }), {
    atDeadline: (item) => production.atDeadline({ ...item, doubt: false, lost: false }),
  }),
  bug('no attempt is written ahead', 'I14', aWorld({ crashes: 1, consumers: 0 }), {
    opening: (known) => production.opening({ ...known, open: 'none' }),
  }),
  bug('an answer ends every doubt, also about a poll that is still under way', 'I13', aPendingWorld({ losses: 1 }), {
    afterPoll: afterPoll((step, _item, { kind }) =>
      step.kind === 'wait' && kind === 'pending' ? { ...step, rhythm: { ...step.rhythm, lost: false } } : step,
    ),
  }),
  bug('whoever takes a shard over trusts the owner before', 'I13', aPendingWorld({ crashes: 1 }), {
    mayHaveLostAnswer: () => false,
  }),
  bug('a lost answer is taken for "pending"', 'I13', aPendingWorld({ losses: 1 }), {
    afterPoll: (item, outcome, nowMs) =>
      production.afterPoll(
        item,
        outcome.kind === 'lost' ? { kind: 'pending', retryAfterSeconds: null } : outcome,
        nowMs,
      ),
  }),
  bug('an attempt that is under way is not seen', 'I14', twoWorkers, {
    opening: (known) => (known.open === 'in-time' ? 'opened' : production.opening(known)),
  }),
  bug('a cancellation overwrites whatever there is', 'I3', aPendingWorld({ canceller: true }), {
    decide: alsoLegal((_request, { type }) => (type === 'cancel' ? { to: 'cancelled' } : null)),
  }),
  bug(
    'a consumption reads, and then writes',
    'I8',
    { ...usable, consumers: 2 },
    {
      passes: (row, transition, shard, now) => production.passes({ ...row, consumedAt: null }, transition, shard, now),
    },
  ),
  bug('anything can be consumed', 'I9', usable, {
    mayConsume: () => true,
    decide: alsoLegal(({ status }, command) =>
      command.type === 'consume' ? { to: status, changes: { consumed: { by: command.by, key: null } } } : null,
    ),
  }),
  bug('an approval does not look at the clock under the lock', 'I4 approved only in time', aPendingWorld(), {
    passes: without('before-deadline'),
  }),
  bug('evidence need not be unique', 'I7', aPendingWorld({ requests: 2, lies: 1, lastTick: 0 }), {
    isUnused: () => true,
  }),
  bug('forged tokens are not verified', 'I4 approved only with evidence', aPendingWorld({ lies: 1 }), {
    proves: () => true,
  }),
  bug(
    'a notification before the start answer is thrown away',
    'I13 what was pushed',
    aWorld({ deliveryMode: 'push', consumers: 0, lastTick: 1 }),
    {
      settlementOf: (current, id) =>
        current?.status === 'requested' ? 'settled' : production.settlementOf(current, id),
    },
  ),
  bug(
    'a push with a foreign id is taken',
    'I4 approved only with evidence',
    aPendingWorld({ requests: 2, deliveryMode: 'push', lies: 1, lastTick: 0 }),
    {
      settlementOf: () => 'settled',
      proves: () => true,
    },
  ),
  bug('an owner that has lost its shard still has the last word', 'the lease fences', aPendingWorld({ epochs: 2 }), {
    isFencedOut: () => false,
    passes: (row, transition, shard, now) => production.passes(row, { ...transition, fence: null }, shard, now),
  }),
  bug('the resolution poll is skipped', 'I13', aPendingWorld({ crashes: 1 }), {
    atDeadline: (item) => production.atDeadline({ ...item, takenOver: false }),
  }),
  bug('a clean release forgets an unclean take-over', 'I13', aPendingWorld({ crashes: 1, handOvers: 1 }), {
    uncleanAfterRelease: (clean, _before, now) => (clean ? null : now),
  }),
  bug('a shard is released clean while a poll is in flight', 'I13', aPendingWorld({ handOvers: 1 }), {
    leavesDoubt: ({ doubt }) => doubt,
  }),
  bug('a request is taken in while its shard is given away', 'I13', aPendingWorld({ handOvers: 1, epochs: 3 }), {
    mayAdmit: () => true,
  }),
  bug(
    'a stored answer is judged by the time of its verification',
    'I4 an answer that was stored',
    aPendingWorld({ losses: 1 }),
    {
      isHeld: () => false,
    },
  ),
  bug('a start call is repeated after a lost answer', 'I14', aWorld({ losses: 1, consumers: 0, lastTick: 0 }), {
    afterStart: (attempt, outcome, ...rest) =>
      outcome.kind === 'unknown'
        ? askAgain(attempt.id, 1, { onInitiationUnknown: 'fail' })
        : production.afterStart(attempt, outcome, ...rest),
  }),
  bug('a lapsed attempt is started anew', 'I14', aWorld({ crashes: 1, consumers: 0, lastTick: 0 }), {
    afterUnknownStart: askAgain,
  }),
  bug(
    'prompts of other processes are not counted',
    'I14',
    aWorld({ losses: 1, crashes: 2, consumers: 0, lastTick: 0, onInitiationUnknown: 'ask-again' }),
    {
      promptsBefore: (_number, known) => known ?? 0,
      afterUnknownStart: (id, _prompts, rule) => production.afterUnknownStart(id, 1, rule),
    },
  ),
  bug(
    'a change of the rule reaches requests that are under way',
    'I14',
    aWorld({ losses: 1, ruleChanges: true, consumers: 0, lastTick: 0 }),
    {
      policyOf: ({ whole, bounds }) => (whole.ruleChanged === 1 ? 'ask-again' : bounds.onInitiationUnknown),
    },
  ),
  bug('a decision is recorded twice', 'I15', aPendingWorld({ recorders: 2 }), {
    isDue: ({ status }, outcome) => status === outcome,
  }),
  bug('a request is reworded after its acknowledgement', 'the text on record', rewording, {
    decide: alsoLegal(({ status }, command) =>
      command.type === 'reword' && status === 'pending'
        ? { to: 'pending', changes: { bindingMessage: command.bindingMessage } }
        : null,
    ),
  }),
  bug('an attempt sends the text that its worker once read', 'the text on record', rewording, {
    textToSend: (read) => read,
  }),
  bug('a request is reworded although its attempt was given up', 'the text on record', rewording, {
    passes: without('attempt-open'),
  }),
  bug('a consumption does not look at its window', 'I9', usable, {
    passes: (row, transition, shard, now) =>
      production.passes(
        transition.guard === 'consumable' ? { ...row, consumeBy: new Date(8.64e15) } : row,
        transition,
        shard,
        now,
      ),
  }),
  bug('a poller asks for as long as it likes', 'I11', aPendingWorld({ epochs: 2 }), { sendUntilMs: () => Infinity }),
  bug('the poller’s own clock makes the deadline', 'I6', aPendingWorld({ clockAhead: 1 }), {
    decide: (request, command, now) =>
      production.decide(request, command, command.type === 'expire' ? new Date(8.64e15) : now),
    passes: without('after-deadline'),
  }),
  bug(
    'the resolution poll goes out by the poller’s own clock',
    'I13',
    aPendingWorld({ clockAhead: 1, handOvers: 1, epochs: 2 }),
    {
      resolutionPollMs: (_deadlineMs, nowMs) => nowMs,
    },
  ),
  bug('slow_down is not heeded', 'I11 polls keep', aPendingWorld({ lies: 1 }), {
    afterPoll: (item, outcome, nowMs) =>
      production.afterPoll(
        item,
        outcome.kind === 'slow-down' ? { kind: 'pending', retryAfterSeconds: null } : outcome,
        nowMs,
      ),
  }),
  bug('a late approval wakes a cancelled request', 'I3', aPendingWorld({ canceller: true }), {
    decide: alsoLegal(({ status }, command) =>
      status === 'cancelled' && command.type === 'approve'
        ? { to: 'approved', changes: { evidence: command.evidence, consumeWithinSeconds: 1000 } }
        : null,
    ),
  }),
  bug('the shards of a dead process stay its own', 'I2', aPendingWorld({ crashes: 1 }), {
    isFree: (owner) => owner === null,
  }),
  bug('a lapsed attempt counts as in progress', 'I2', aWorld({ crashes: 1, consumers: 0 }), {
    opening: (known) => production.opening(known.open === 'lapsed' ? { ...known, open: 'in-time' } : known),
  }),
];
