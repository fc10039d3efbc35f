import { createHash } from 'node:crypto';
import type { PushedAnswer } from '#lib/ciba';
import type { DeliveryMode } from '#lib/domain';
import { Content, NotifierPhase, Person, statusOf, Used, writeCommand } from './codes.js';
import { clearJob, stepJob, type Client } from './database.js';
import { markUsed } from './provider.js';
import { clear } from './section.js';
import { grantsOfRequest, type State } from './state.js';
import { dateOf, tickSeconds, type Actor, type Go, type World } from './world.js';

/** The provider's pings and pushes, and the API that takes them in (`receive-notification.ts`). */
export const notifiers: Actor = (state, world, go) => {
  if (world.bounds.deliveryMode === 'poll') return;
  state.requests.forEach(({ notifier }, r) => {
    if (notifier.phase === NotifierPhase.idle) arrive(state, world, go, r);
    else take(state, world, go, r);
  });
};

/** A person has answered: the provider tells, once, or twice when it is a bad one, or names a foreign id. */
function arrive(state: State, world: World, go: Go, r: number): void {
  const { bounds } = world;
  state.grants.forEach((grant, i) => {
    if (Math.floor(i / grantsOfRequest) !== r || grant.person < Person.approved) return;
    const mayRepeat = state.whole.lies < bounds.lies;
    if (grant.notified === 0) notify(go, state, r, i, i, bounds.deliveryMode, 'step');
    else if (grant.notified === 1 && mayRepeat) notify(go, state, r, i, i, bounds.deliveryMode, 'fault');
    const foreign = state.grants.findIndex(
      (other, o) => other.person !== Person.none && Math.floor(o / grantsOfRequest) !== r,
    );
    if (foreign >= 0 && mayRepeat) notify(go, state, r, i, foreign, bounds.deliveryMode, 'fault');
  });
}

function notify(
  go: Go,
  state: State,
  r: number,
  byTokenOf: number,
  named: number,
  mode: DeliveryMode,
  kind: 'step' | 'fault',
): void {
  const content =
    mode === 'ping'
      ? Content.ping
      : state.grants[byTokenOf]!.person === Person.approved
        ? Content.tokens
        : Content.denial;
  go(
    `the provider ${mode === 'ping' ? 'pings' : 'pushes'} request ${r + 1}${named === byTokenOf ? '' : ' with a foreign id'}`,
    (next) => {
      const grant = next.grants[byTokenOf]!;
      grant.notified++;
      if (kind === 'fault') next.whole.lies++;
      if (mode === 'push') markUsed(next, byTokenOf + 1, Used.push);
      const { row, notifier } = next.requests[r]!;
      // The attempt is found by the notification token; the named id comes with the body.
      Object.assign(notifier, { phase: NotifierPhase.received, grant: byTokenOf * 16 + named, content });
      notifier.seenStatus = row.status;
      notifier.seenId = row.authReqId;
    },
    kind,
  );
}

const hashes = Array.from({ length: 16 }, (_, id) => createHash('sha256').update(`grant-${id}`).digest());

function take(state: State, world: World, go: Go, r: number): void {
  const { protocol } = world;
  const { notifier, attempts } = state.requests[r]!;
  const byTokenOf = notifier.grant >> 4;
  const named = (notifier.grant % 16) + 1;
  const attempt = state.grants[byTokenOf]!.attempt;
  const mine = (next: State) => next.requests[r]!.notifier;
  switch (notifier.phase) {
    case NotifierPhase.received: {
      const settlement = protocol.settlementOf(
        {
          requestId: 'request',
          attemptId: `attempt-${attempt}`,
          sentAt: dateOf(attempts[attempt - 1]!.sentAt - 1),
          status: statusOf(notifier.seenStatus),
          authReqIdSha256: notifier.seenId === 0 ? null : hashes[notifier.seenId]!,
          requestedExpirySeconds: tickSeconds,
        },
        `grant-${named}`,
      );
      if (settlement === 'unfitting') return go('the API refuses the notification', (next) => end(next, r));
      if (settlement === 'settled') {
        return go(`the API takes the notification for request ${r + 1}`, (next) => noteNext(next, world, r));
      }
      return go(`the API learns the auth_req_id of request ${r + 1} from it`, (next) => {
        mine(next).phase = NotifierPhase.acknowledging;
        writeCommand(mine(next).job, settlement);
      });
    }
    case NotifierPhase.noting:
      return go('the API stores the notification', (next) => {
        const { row } = next.requests[r]!;
        if (protocol.mayNote({ status: statusOf(row.status), pinged: row.pinged === 1 })) {
          row.pinged = 1;
          if (notifier.content === Content.tokens && row.heldToken === 0) {
            // What it pushes is of the prompt whose token it holds.
            row.heldToken = named;
            row.heldAt = next.whole.tick + 1;
          }
        }
        end(next, r);
      });
    default:
      return stepJob(state, world, go, clientOf(world, r));
  }
}

function noteNext(next: State, world: World, r: number): void {
  const { notifier } = next.requests[r]!;
  if (notifier.content !== Content.denial) {
    notifier.phase = NotifierPhase.noting;
    return;
  }
  const pushed: Exclude<PushedAnswer, { kind: 'tokens' }> = {
    kind: 'denied',
    error: { code: 'access_denied', description: null },
  };
  notifier.phase = NotifierPhase.ending;
  writeCommand(notifier.job, world.protocol.endOf(pushed));
}

function end(next: State, r: number): void {
  clear(next.requests[r]!.notifier);
  clearJob(next.requests[r]!.notifier.job);
}

function clientOf(world: World, r: number): Client {
  const mine = (state: State) => state.requests[r]!.notifier;
  return {
    name: 'the API',
    owner: 'api',
    request: r,
    job: (state) => mine(state).job,
    ended: (next, _command, result) => {
      const notifier = mine(next);
      clearJob(notifier.job);
      if (notifier.phase === NotifierPhase.ending) return end(next, r);
      if (result.kind === 'applied') return noteNext(next, world, r);
      if (result.kind !== 'refused') return end(next, r);
      // Somebody else was faster: it is read again.
      const { row } = next.requests[r]!;
      notifier.phase = NotifierPhase.received;
      notifier.seenStatus = row.status;
      notifier.seenId = row.authReqId;
    },
    // The provider gets no 2xx, and providers do not repeat a notification.
    replyLost: (next) => end(next, r),
  };
}
