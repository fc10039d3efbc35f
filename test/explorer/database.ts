import { isRefusal, type Command, type Snapshot, type Transition } from '#lib/domain';
import type { ChangeResult } from '#lib/persistence';
import {
  AttemptState,
  describeCommand,
  numberIn,
  readCommand,
  reasonCode,
  Status,
  statusOf,
  writeCommand,
  type CommandBytes,
} from './codes.js';
import { clear } from './section.js';
import type { JobPart, RequestPart, RowPart, State } from './state.js';
import { byteOf, dateOf, momentOf, type Go, type World } from './world.js';

/** Who puts a command to the database, and what its answer leads to. */
export interface Client {
  /** As a trace names it. */
  readonly name: string;
  /** As a fence names it. */
  readonly owner: string;
  readonly request: number;
  readonly job: (state: State) => JobPart;
  readonly ended: (next: State, command: Command, result: ChangeResult) => void;
  /** What follows when the commit's reply is lost; left out: the command is put again until there is an answer. */
  readonly replyLost?: (next: State) => void;
}

const snapshotByte = (row: RowPart, tick: number): number =>
  1 + row.status + (row.consumedBy === 0 ? 0 : 7) + 14 * tick;

const snapshotOf = (row: RowPart, byte: number): { snapshot: Snapshot; now: Date } => {
  const code = (byte - 1) % 14;
  return {
    snapshot: {
      id: 'request',
      status: statusOf(code % 7),
      // These are written once, before the status that they matter for is reached.
      expiresAt: momentOf(row.expiresAt),
      consumedAt: code < 7 ? null : dateOf(0),
      consumeBy: momentOf(row.consumeBy),
    },
    now: dateOf(Math.floor((byte - 1) / 14)),
  };
};

export const pollerName = (index: number): string => `poller-${index + 1}`;
export const ownerName = (owner: number): string | null =>
  owner === 0 ? null : owner === 3 ? 'dead-process' : pollerName(owner - 1);

/** One step of `requests.change`: read a snapshot and decide, or lock, judge and write. */
export function stepJob(state: State, world: World, go: Go, client: Client): void {
  const { name, request, owner } = client;
  const job = client.job(state);
  const verb = describeCommand(job.command);
  if (job.snapshot === 0) {
    go(`${name} reads request ${request + 1} for "${verb}"`, (next) => {
      consider(
        next,
        world,
        client,
        snapshotByte(next.requests[request]!.row, next.whole.tick),
        commandOf(next, world, client),
      );
    });
    return;
  }
  const whole = state.whole;
  const row = state.requests[request]!.row;
  const { snapshot, now } = snapshotOf(row, job.snapshot);
  const command = commandOf(state, world, client);
  const answer = world.protocol.decide(snapshot, command, now);
  if (isRefusal(answer)) throw new Error(`${owner} holds a refused command.`);
  const shard = { owner: ownerName(whole.owner), epoch: whole.epoch };
  const locked = {
    status: statusOf(row.status),
    expiresAt: momentOf(row.expiresAt),
    consumedAt: row.consumedBy === 0 ? null : dateOf(0),
    consumeBy: momentOf(row.consumeBy),
    heldAt: momentOf(row.heldAt),
    attemptOpen: isOpen(state.requests[request]!, answer),
  };
  if (world.protocol.passes(locked, answer, shard, dateOf(whole.tick))) {
    if (isReused(state, world, request, answer)) {
      go(`${name} cannot write "${verb}": its evidence serves another request`, (next) =>
        client.ended(next, command, { kind: 'evidence-reused' }),
      );
      return;
    }
    go(`${name} writes "${verb}": request ${request + 1} is ${answer.to}`, (next) => {
      write(next, request, answer);
      client.ended(next, command, { kind: 'applied', transition: answer, stateVersion: 1 });
    });
    if (whole.losses < world.bounds.losses) {
      go(
        `${name} writes "${verb}": request ${request + 1} is ${answer.to}; the commit's reply is lost`,
        (next) => {
          write(next, request, answer);
          next.whole.losses++;
          if (client.replyLost) client.replyLost(next);
          else client.job(next).snapshot = 0;
        },
        'fault',
      );
    }
    return;
  }
  go(`${name} finds request ${request + 1} changed and decides "${verb}" again`, (next) => {
    if (world.protocol.isFencedOut(answer, shard)) return client.ended(next, command, { kind: 'fenced-out' });
    const byte = snapshotByte(next.requests[request]!.row, next.whole.tick);
    const current = snapshotOf(next.requests[request]!.row, byte).snapshot;
    const again = world.protocol.askedAgain(command, answer, current);
    if ('refused' in again) {
      return client.ended(next, command, { kind: 'refused', refusal: again, current });
    }
    if (again !== command) rewrite(client.job(next), again);
    consider(next, world, client, byte, again);
  });
}

function consider(next: State, world: World, client: Client, byte: number, command: Command): void {
  const { row } = next.requests[client.request]!;
  const { snapshot, now } = snapshotOf(row, byte);
  const answer = world.protocol.decide(snapshot, command, now);
  if (!isRefusal(answer)) {
    client.job(next).snapshot = byte;
    return;
  }
  if (answer.lateEvidence !== null && row.lateEvidence === 0) {
    const token = numberIn(answer.lateEvidence.idTokenSha256);
    // `store_late_evidence`: an approval that comes back is a repetition.
    if (row.evidence !== token) row.lateEvidence = token;
  }
  client.ended(next, command, { kind: 'refused', refusal: answer, current: snapshot });
}

const commandOf = (state: State, world: World, client: Client): Command => {
  const { attempts } = state.requests[client.request]!;
  return readCommand(
    client.job(state),
    client.owner,
    (attempt) => attempts[attempt - 1]!.sentAt - 1,
    world.bounds.consumeWithinTicks,
  );
};

function rewrite(job: CommandBytes & { snapshot: number }, command: Command): void {
  const { epoch } = job;
  writeCommand(job, command);
  job.epoch = epoch;
}

/** Whether the unique constraints refuse what a transition writes. */
function isReused(state: State, world: World, request: number, { changes }: Transition): boolean {
  const others = state.requests.filter((_, i) => i !== request).map(({ row }) => row);
  const evidence = changes.evidence ?? changes.lateEvidence;
  const token = evidence ? numberIn(evidence.idTokenSha256) : 0;
  const id = changes.authReqId === undefined ? 0 : numberIn(changes.authReqId);
  const { isUnused } = world.protocol;
  return !(
    isUnused(
      token,
      others.flatMap((row) => [row.evidence, row.lateEvidence]),
    ) &&
    isUnused(
      id,
      others.map((row) => row.authReqId),
    )
  );
}

const closings = {
  acknowledged: AttemptState.acknowledged,
  refused: AttemptState.refused,
  failed: AttemptState.failed,
  unknown: AttemptState.unknown,
} as const;

/** What `apply_transitions` writes. */
function write(next: State, request: number, { to, changes }: Transition): void {
  const part = next.requests[request]!;
  const { row } = part;
  row.status = Status[to];
  if (changes.reason !== undefined) row.reason = reasonCode(changes.reason);
  if (changes.bindingMessage !== undefined) row.text = numberIn(changes.bindingMessage);
  if (changes.authReqId !== undefined) row.authReqId = numberIn(changes.authReqId);
  if (changes.sentAt !== undefined) row.sentAt = byteOf(changes.sentAt);
  if (changes.expiresAt !== undefined) row.expiresAt = byteOf(changes.expiresAt);
  if (changes.evidence !== undefined) row.evidence = numberIn(changes.evidence.idTokenSha256);
  if (changes.lateEvidence !== undefined) row.lateEvidence = numberIn(changes.lateEvidence.idTokenSha256);
  if (changes.consumeWithinSeconds !== undefined) {
    row.consumeBy = byteOf(new Date(dateOf(next.whole.tick).getTime() + changes.consumeWithinSeconds * 1000));
  }
  if (changes.consumed !== undefined) row.consumedBy = numberIn(changes.consumed.by);
  if (changes.closedAttempt !== undefined) {
    closeAttempt(part, numberIn(changes.closedAttempt.id), closings[changes.closedAttempt.outcome]);
  }
  if (to !== 'pending') row.heldToken = row.heldAt = 0;
}

/** `close_attempt`: an attempt is closed once. */
export function closeAttempt({ attempts }: RequestPart, number: number, outcome: number): void {
  const attempt = attempts[number - 1]!;
  if (attempt.state === AttemptState.open || attempt.state === AttemptState.lapsed) attempt.state = outcome;
}

function isOpen({ attempts }: RequestPart, { changes }: Transition): boolean {
  const closed = changes.closedAttempt;
  const is = closed === undefined ? AttemptState.none : attempts[numberIn(closed.id) - 1]?.state;
  return is === AttemptState.open || is === AttemptState.lapsed;
}

export const isTerminalCode = (status: number): boolean => status >= Status.approved;

/** Nobody works on a command any more. */
export const clearJob = (job: JobPart): void => clear(job);
