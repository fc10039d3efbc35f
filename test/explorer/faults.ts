import { CallPhase, NotifierPhase, WorkerPhase } from './codes.js';
import { clearJob } from './database.js';
import { clear } from './section.js';
import type { Actor } from './world.js';

/** Processes that die, and events that are there twice. What was in their memory is gone. */
export const crashes: Actor = (state, world, go) => {
  if (state.whole.crashes >= world.bounds.crashes) return;
  state.pollers.forEach((poller, p) => {
    if (poller.alive === 0) return;
    go(
      `poller ${p + 1} dies`,
      (next) => {
        next.whole.crashes++;
        if (next.whole.owner === p + 1) next.whole.owner = 3;
        const dead = next.pollers[p]!;
        for (const memory of dead.memory) {
          clear(memory);
          clearJob(memory.job);
        }
        Object.assign(dead, { alive: 0, epoch: 0, leaving: 0, uncleanAt: 0 });
      },
      'fault',
    );
  });
  state.requests.forEach((request, r) => {
    request.workers.forEach((worker, w) => {
      if (worker.phase === WorkerPhase.idle) return;
      go(
        `worker ${w + 1} dies`,
        (next) => {
          next.whole.crashes++;
          const dead = next.requests[r]!.workers[w]!;
          clear(dead);
          clearJob(dead.job);
        },
        'fault',
      );
    });
    if (request.notifier.phase !== NotifierPhase.idle) {
      go(
        'the API dies while it takes a notification in',
        (next) => {
          next.whole.crashes++;
          const { notifier } = next.requests[r]!;
          clear(notifier);
          clearJob(notifier.job);
        },
        'fault',
      );
    }
    [request.canceller, ...request.consumers].forEach((call, i) => {
      if (call.phase !== CallPhase.under) return;
      go(
        `the API dies under ${i === 0 ? 'the canceller' : `consumer ${i}`}`,
        (next) => {
          next.whole.crashes++;
          const { canceller, consumers } = next.requests[r]!;
          const dead = [canceller, ...consumers][i]!;
          clearJob(dead.job);
          dead.phase = CallPhase.unanswered;
        },
        'fault',
      );
    });
  });
};

/** Time passes, and rules change. */
export const time: Actor = (state, world, go) => {
  const { whole } = state;
  if (whole.tick < world.bounds.lastTick) {
    go(`time passes (tick ${whole.tick + 1})`, (next) => next.whole.tick++);
  }
  if (world.bounds.ruleChanges && whole.ruleChanged === 0) {
    go('the rule is changed', (next) => (next.whole.ruleChanged = 1));
  }
};
