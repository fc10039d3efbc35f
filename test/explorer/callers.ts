import { isRefusal } from '#lib/domain';
import { CallPhase, isOutcomeRecorded, Status, statusOf, writeCommand } from './codes.js';
import { clearJob, isTerminalCode, stepJob, type Client } from './database.js';
import { clear } from './section.js';
import type { CallPart, State } from './state.js';
import type { Actor } from './world.js';

/** The caller who withdraws a request (`cancel-authorization-request.ts`). */
export const cancellers: Actor = (state, world, go) => {
  if (!world.bounds.canceller) return;
  state.requests.forEach(({ canceller, row }, r) => {
    const mine = (next: State) => next.requests[r]!.canceller;
    if (canceller.phase === CallPhase.under) return stepJob(state, world, go, clientOf('the canceller', r, mine));
    const again = canceller.phase === CallPhase.unanswered;
    if (canceller.phase !== CallPhase.none && !again) return;
    if (isTerminalCode(row.status) && !again) return;
    go(`the caller cancels request ${r + 1}`, (next) => {
      mine(next).phase = CallPhase.under;
      writeCommand(mine(next).job, { type: 'cancel', by: 'caller-1' });
    });
  });
};

/** Callers who use an approval, all at once and again when they got no answer (`consume-authorization-request.ts`). */
export const consumers: Actor = (state, world, go) => {
  state.requests.forEach(({ consumers: all, row }, r) => {
    all.forEach((consumer, c) => {
      const name = `consumer ${c + 1}`;
      const mine = (next: State) => next.requests[r]!.consumers[c]!;
      if (consumer.phase === CallPhase.under) return stepJob(state, world, go, clientOf(name, r, mine, c + 1));
      if (consumer.phase !== CallPhase.none && consumer.phase !== CallPhase.unanswered) return;
      if (!world.protocol.mayConsume({ status: statusOf(row.status), decided: isOutcomeRecorded(row) })) return;
      go(`${name} uses request ${r + 1}`, (next) => {
        mine(next).phase = CallPhase.under;
        writeCommand(mine(next).job, { type: 'consume', by: `caller-${c + 1}`, key: `caller-${c + 1}` });
      });
    });
  });
};

function clientOf(name: string, r: number, mine: (state: State) => CallPart, caller = 0): Client {
  const end = (next: State, phase: number) => {
    clearJob(mine(next).job);
    mine(next).phase = phase;
  };
  return {
    name,
    owner: name,
    request: r,
    job: (state) => mine(state).job,
    ended: (next, _command, result) => {
      const { row } = next.requests[r]!;
      if (result.kind === 'applied') return end(next, CallPhase.told);
      if (result.kind !== 'refused') throw new Error(`A caller is told "${result.kind}".`);
      // A repetition under the same key is answered like the first call.
      const repeated =
        caller === 0 ? result.current.status === 'cancelled' : isRefusal(result.refusal) && row.consumedBy === caller;
      end(next, repeated ? CallPhase.told : CallPhase.refused);
    },
    replyLost: (next) => end(next, CallPhase.unanswered),
  };
}

/** Recorders of decisions, by event or by sweep (`record-decision.ts`). */
export const recorders: Actor = (state, world, go) => {
  state.requests.forEach(({ recorders: all, row }, r) => {
    const firstIdle = all.findIndex(({ phase }) => phase === 0);
    all.forEach((recorder, i) => {
      const name = `recorder ${i + 1}`;
      if (recorder.phase === 0) {
        if (i !== firstIdle || !isTerminalCode(row.status) || isOutcomeRecorded(row)) return;
        go(`${name} reads how request ${r + 1} has ended`, (next) => {
          next.requests[r]!.recorders[i]!.phase = 1 + next.requests[r]!.row.status;
        });
        return;
      }
      const outcome = statusOf(recorder.phase - 1);
      go(`${name} records the decision "${outcome}" of request ${r + 1}`, (next) => {
        const part = next.requests[r]!;
        const locked = { status: statusOf(part.row.status), decided: isOutcomeRecorded(part.row) };
        if (world.protocol.isDue(locked, outcome)) {
          part.row.decision = Status[outcome];
          part.row.decisions++;
        }
        clear(part.recorders[i]!);
      });
    });
  });
};

/** Whether nothing is left to do about any request. */
export const isSettled = (state: State): boolean =>
  state.requests.every(({ row }) => isTerminalCode(row.status) && isOutcomeRecorded(row));
