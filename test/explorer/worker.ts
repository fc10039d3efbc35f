import type { StartStep } from '../../apps/ciba-worker/src/after-start.js';
import type { Command } from '#lib/domain';
import { AttemptState, Person, Status, WorkerPhase, writeCommand } from './codes.js';
import { clearJob, closeAttempt, stepJob, type Client } from './database.js';
import { repliesToStart, startOutcomes, type StartReply } from './provider.js';
import { clear } from './section.js';
import { grantsOfRequest, type RequestPart, type State, type WorkerPart } from './state.js';
import { dateOf, type Actor, type Go, type World } from './world.js';

/** The texts of a request: what the caller wanted, and what every provider takes. */
const texts = ['Zahlung: 25 € – Café', 'plain'] as const;

/** The workers, which start authentications (`make-attempt.ts`, `conclude-attempt.ts`). */
export const workers: Actor = (state, world, go) => {
  state.requests.forEach((request, r) => {
    const firstIdle = request.workers.findIndex((worker) => worker.phase === WorkerPhase.idle);
    request.workers.forEach((worker, w) => {
      // Idle workers know nothing and are alike: one of them moves for all.
      if (worker.phase !== WorkerPhase.idle) return stepWorker(state, world, go, r, w);
      if (w === firstIdle) takeOn(state, go, r, w);
    });
  });
};

const nameOf = (w: number): string => `worker ${w + 1}`;

function takeOn(state: State, go: Go, r: number, w: number): void {
  const { row, attempts } = state.requests[r]!;
  const load = (next: State, byEvent: 0 | 1) => {
    const part = next.requests[r]!;
    if (part.row.status !== Status.requested) return;
    const worker = part.workers[w]!;
    worker.phase = WorkerPhase.loaded;
    worker.byEvent = byEvent;
    worker.text = part.row.text;
  };
  if (row.hints > 0) {
    go(`${nameOf(w)} hears of request ${r + 1}`, (next) => {
      next.requests[r]!.row.hints--;
      load(next, 1);
    });
  }
  // The sweep: nobody has it in hand.
  if (row.status === Status.requested && !attempts.some(({ state: is }) => is === AttemptState.open)) {
    go(`${nameOf(w)} finds request ${r + 1} by its sweep`, (next) => load(next, 0));
  }
}

function stepWorker(state: State, world: World, go: Go, r: number, w: number): void {
  const name = nameOf(w);
  const { protocol } = world;
  const request = state.requests[r]!;
  const worker = request.workers[w]!;
  const mine = (next: State) => next.requests[r]!.workers[w]!;
  switch (worker.phase) {
    case WorkerPhase.loaded:
      return openAttempt(state, world, go, r, w);
    case WorkerPhase.opened:
      if (request.attempts[worker.attempt - 1]!.sentAt > 1) {
        return go(`${name} gives up: the request has waited too long`, (next) => {
          closeAttempt(next.requests[r]!, worker.attempt, AttemptState.notAccepted);
          mine(next).phase = WorkerPhase.givingUp;
          writeCommand(mine(next).job, { type: 'give-up-start' });
        });
      }
      return repliesToStart(state, world, r, worker.text).forEach((reply) => call(state, go, r, w, reply));
    case WorkerPhase.answered: {
      const { attempt: number } = worker;
      const attempt = {
        id: `attempt-${number}`,
        number,
        earlierPrompts: protocol.promptsBefore(number, worker.prompts === 0 ? null : worker.prompts - 1),
        elapsedMs: 0,
      };
      const outcome = startOutcomes[worker.outcome]!;
      const answered = outcome.kind === 'acknowledged' ? { ...outcome, authReqId: `grant-${worker.arg}` } : outcome;
      const asked = {
        requestedExpirySeconds: null,
        onInitiationUnknown: protocol.policyOf(state),
        bindingMessage: texts[worker.text] ?? null,
      };
      const sentAt = dateOf(request.attempts[number - 1]!.sentAt - 1);
      const step = protocol.afterStart(attempt, answered, sentAt, asked, { refusesExpiry: false });
      return go(`${name} decides: ${describe(step)}`, (next) => follow(mine(next), step));
    }
    case WorkerPhase.closing:
      return go(`${name} closes attempt ${worker.attempt} and goes on`, (next) => {
        const part = mine(next);
        closeAttempt(next.requests[r]!, part.attempt, part.outcome);
        part.phase = WorkerPhase.loaded;
        part.byEvent = part.attempt = part.outcome = 0;
      });
    default:
      return stepJob(state, world, go, clientOf(world, r, w));
  }
}

const describe = (step: StartStep): string =>
  step.kind === 'change'
    ? 'reason' in step.command
      ? `${step.command.type} ${step.command.reason}`
      : step.command.type
    : step.kind === 'reword'
      ? 'another text'
      : `another attempt after one that is ${step.close}`;

function openAttempt(state: State, world: World, go: Go, r: number, w: number): void {
  const { protocol } = world;
  const name = nameOf(w);
  const { row, attempts, workers: all } = state.requests[r]!;
  const worker = all[w]!;
  const open = attempts.findIndex(({ state: is }) => is === AttemptState.open || is === AttemptState.lapsed);
  const result = protocol.opening({
    requested: row.status === Status.requested,
    duplicate: worker.byEvent === 1 && row.inbox === 1,
    open: open < 0 ? 'none' : attempts[open]!.state === AttemptState.open ? 'in-time' : 'lapsed',
  });
  const idle = (next: State) => clear(next.requests[r]!.workers[w]!);
  switch (result) {
    case 'opened': {
      const number = attempts.findIndex(({ state: is }) => is === AttemptState.none) + 1;
      // The world ends here: it has no place for more attempts.
      if (number === 0) return;
      return go(`${name} opens attempt ${number} of request ${r + 1}`, (next) => {
        const part = next.requests[r]!;
        Object.assign(part.attempts[number - 1]!, { state: AttemptState.open, sentAt: next.whole.tick + 1 });
        const mine = part.workers[w]!;
        mine.text = part.attempts[number - 1]!.text = world.protocol.textToSend(mine.text, part.row.text);
        if (mine.byEvent === 1) part.row.inbox = 1;
        mine.phase = WorkerPhase.opened;
        mine.attempt = number;
      });
    }
    case 'lapsed': {
      const unknown = attempts.filter(({ state: is }) => is === AttemptState.unknown).length + 1;
      const step = protocol.afterUnknownStart(`attempt-${open + 1}`, unknown, {
        onInitiationUnknown: protocol.policyOf(state),
      });
      return go(`${name} finds attempt ${open + 1} lapsed: ${describe(step)}`, (next) => {
        const mine = next.requests[r]!.workers[w]!;
        mine.attempt = open + 1;
        follow(mine, step);
      });
    }
    case 'duplicate':
    case 'not-requested':
    case 'in-progress':
      return go(`${name} opens no attempt: ${result}`, idle);
  }
}

function call(state: State, go: Go, r: number, w: number, reply: StartReply): void {
  const first = r * grantsOfRequest;
  const free = state.grants.findIndex(
    (grant, i) => i >= first && i < first + grantsOfRequest && grant.person === Person.none,
  );
  if (reply.prompts && free < 0) return;
  const foreign = state.requests.find((_, i) => i !== r)?.row.authReqId ?? 0;
  if (reply.foreignId && foreign === 0) return;
  go(
    `${nameOf(w)} calls the provider about request ${r + 1}: ${reply.label}`,
    (next) => {
      const worker = next.requests[r]!.workers[w]!;
      if (reply.cost) next.whole[reply.cost]++;
      if (reply.prompts) {
        Object.assign(next.grants[free]!, { person: Person.asked, attempt: worker.attempt, text: worker.text });
      }
      worker.phase = WorkerPhase.answered;
      worker.outcome = reply.outcome;
      worker.arg = reply.foreignId ? foreign : free + 1;
    },
    reply.kind,
  );
}

const closings = { 'not-accepted': AttemptState.notAccepted, unknown: AttemptState.unknown } as const;

function follow(worker: WorkerPart, step: StartStep): void {
  const attemptId = `attempt-${worker.attempt}`;
  worker.outcome = worker.arg = 0;
  switch (step.kind) {
    case 'change':
      worker.phase = WorkerPhase.changing;
      return writeCommand(worker.job, step.command);
    case 'reword':
      worker.phase = WorkerPhase.rewording;
      return writeCommand(worker.job, { type: 'reword', attemptId, bindingMessage: 'text-1', requestHash: 'text-1' });
    case 'again':
      worker.phase = WorkerPhase.closing;
      worker.outcome = closings[step.close];
      worker.prompts = step.earlierPrompts + 1;
  }
}

function clientOf(world: World, r: number, w: number): Client {
  const mine = (state: State) => state.requests[r]!.workers[w]!;
  return {
    name: nameOf(w),
    owner: nameOf(w),
    request: r,
    job: (state) => mine(state).job,
    ended: (next, command, result) => {
      const worker = mine(next);
      if (worker.phase === WorkerPhase.rewording && result.kind === 'applied') {
        clearJob(worker.job);
        worker.phase = WorkerPhase.loaded;
        worker.byEvent = worker.attempt = 0;
        worker.text = 1;
        return;
      }
      const again: Command | null = world.protocol.afterStartChange(command, result.kind);
      if (again !== null) return writeCommand(worker.job, again);
      clear(worker);
      clearJob(worker.job);
    },
  };
}

/** Attempts whose process has died, or stands still. */
export const attemptsLapse: Actor = (state, world, go) => {
  state.requests.forEach((request: RequestPart, r) => {
    request.attempts.forEach((attempt, a) => {
      if (attempt.state !== AttemptState.open) return;
      const alive = request.workers.some((worker) => worker.attempt === a + 1);
      if (alive && state.whole.pauses >= world.bounds.pauses) return;
      go(
        `the time of attempt ${a + 1} is over${alive ? ' while its process stands still' : ''}`,
        (next) => {
          next.requests[r]!.attempts[a]!.state = AttemptState.lapsed;
          if (alive) next.whole.pauses++;
        },
        alive ? 'fault' : 'step',
      );
    });
  });
};
