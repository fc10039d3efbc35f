import { moves, type Status as StatusName } from '#lib/domain';
import { CallPhase, MemoryPhase, Person, reasonCode, Status, statusOf, Used } from './codes.js';
import { isTerminalCode } from './database.js';
import { grantsOfRequest, type State } from './state.js';
import type { World } from './world.js';

/** What must hold of every step. Answers what is wrong, or null. */
export interface Invariant {
  readonly name: string;
  readonly broken: (before: State, after: State, world: World) => string | null;
}

/** Asks about each request by itself. */
const ofEach =
  (broken: (before: State, after: State, r: number, world: World) => string | null): Invariant['broken'] =>
  (before, after, world) => {
    for (let r = 0; r < after.requests.length; r++) {
      const problem = broken(before, after, r, world);
      if (problem !== null) return `request ${r + 1}: ${problem}`;
    }
    return null;
  };

const becomes = (before: State, after: State, r: number, status: StatusName): boolean =>
  after.requests[r]!.row.status === Status[status] && before.requests[r]!.row.status !== Status[status];

const grantOf = (state: State, r: number) => {
  const { authReqId } = state.requests[r]!.row;
  return authReqId === 0 ? null : state.grants[authReqId - 1]!;
};

const nothingWentWrong = ({ whole }: State): boolean =>
  whole.crashes + whole.losses + whole.lies + whole.pauses === 0 && whole.epoch <= 1;

/** The invariants, by the names that the documentation uses. */
export const invariants: readonly Invariant[] = [
  {
    name: 'I3 a terminal state never changes',
    broken: ofEach((before, after, r) => {
      const was = before.requests[r]!.row;
      const is = after.requests[r]!.row;
      if (was.status === is.status)
        return isTerminalCode(is.status) && was.reason !== is.reason ? 'its reason changed' : null;
      const legal: readonly string[] = moves[statusOf(was.status)];
      return legal.includes(statusOf(is.status)) ? null : `${statusOf(was.status)} became ${statusOf(is.status)}`;
    }),
  },
  {
    name: 'I4 approved only with evidence that this person approved this request',
    broken: ofEach((before, after, r, { bounds }) => {
      if (!becomes(before, after, r, 'approved')) return null;
      const { evidence, authReqId } = after.requests[r]!.row;
      const grant = after.grants[evidence - 1];
      if (grant?.person !== Person.approved) return 'nobody approved what its evidence is of';
      // Without a claim that names the prompt, a provider that lies about whose tokens these are cannot be found out.
      const isTrusted = after.whole.lies > 0 && bounds.deliveryMode !== 'push';
      return evidence === authReqId || isTrusted ? null : 'its evidence is of another prompt';
    }),
  },
  {
    name: 'I4 approved only in time',
    broken: ofEach((before, after, r) => {
      if (!becomes(before, after, r, 'approved')) return null;
      const { heldAt, expiresAt } = before.requests[r]!.row;
      const inTime = after.whole.tick + 1 < expiresAt || (heldAt !== 0 && heldAt < expiresAt);
      return inTime ? null : 'it is approved after its deadline';
    }),
  },
  {
    name: 'I4 an answer that was stored in time counts',
    broken: ofEach((before, after, r) => {
      if (!becomes(before, after, r, 'expired')) return null;
      const { heldAt, heldToken, expiresAt } = before.requests[r]!.row;
      const proves = heldToken !== 0 && after.grants[heldToken - 1]?.person === Person.approved;
      return proves && heldAt < expiresAt && after.whole.lies === 0 ? 'its approval was there in time' : null;
    }),
  },
  {
    name: 'I5 denied only when the person said no',
    broken: ofEach((before, after, r) => {
      if (!becomes(before, after, r, 'denied')) return null;
      if (after.requests[r]!.row.reason === reasonCode('provider_policy')) return null;
      return grantOf(after, r)?.person === Person.denied ? null : 'nobody said no';
    }),
  },
  {
    name: 'I6 expired only after the deadline or by the provider’s word',
    broken: ofEach((before, after, r) => {
      if (!becomes(before, after, r, 'expired')) return null;
      const was = before.requests[r]!.row;
      if (was.status === Status.requested) return null;
      const isOver = after.whole.tick + 1 >= was.expiresAt;
      return isOver || grantOf(after, r)?.used === Used.expiry ? null : 'its deadline has not come';
    }),
  },
  {
    name: 'I7 evidence serves one request',
    broken: (_before, after) => {
      const rows = after.requests.map(({ row }) => row);
      const tokens = rows.map(({ evidence }) => evidence).filter((token) => token !== 0);
      const ids = rows.map(({ authReqId }) => authReqId).filter((id) => id !== 0);
      if (new Set(tokens).size < tokens.length) return 'one ID token approves two requests';
      return new Set(ids).size < ids.length ? 'one auth_req_id serves two requests' : null;
    },
  },
  {
    name: 'I8 consumed at most once',
    broken: ofEach((before, after, r) => {
      const { consumers, row } = after.requests[r]!;
      const was = before.requests[r]!.row.consumedBy;
      if (was !== 0 && was !== row.consumedBy) return 'it is consumed twice';
      const told = consumers.filter(({ phase }) => phase === CallPhase.told).length;
      return told > 1 ? 'two callers are told that they used it' : null;
    }),
  },
  {
    name: 'I9 consumed only while approved and in its window',
    broken: ofEach((before, after, r) => {
      const was = before.requests[r]!.row;
      if (was.consumedBy !== 0 || after.requests[r]!.row.consumedBy === 0) return null;
      if (was.status !== Status.approved) return `it is consumed while ${statusOf(was.status)}`;
      return after.whole.tick + 1 < was.consumeBy ? null : 'it is consumed after its window';
    }),
  },
  {
    name: 'I10 what was cancelled stays cancelled',
    broken: ofEach((_before, after, r) => {
      const { canceller, row } = after.requests[r]!;
      return canceller.phase === CallPhase.told && row.status !== Status.cancelled
        ? `its cancellation is acknowledged and it is ${statusOf(row.status)}`
        : null;
    }),
  },
  {
    name: 'I11 only the owner begins to ask',
    broken: (before, after) => {
      for (const [p, poller] of after.pollers.entries()) {
        for (const [r, memory] of poller.memory.entries()) {
          const begins =
            memory.phase === MemoryPhase.sending && before.pollers[p]!.memory[r]!.phase !== MemoryPhase.sending;
          if (!begins) continue;
          const isOwner = after.whole.owner === p + 1 && after.whole.epoch === poller.epoch && after.whole.leaseAge < 2;
          if (!isOwner) return `poller ${p + 1} asks about request ${r + 1} without owning its shard`;
        }
      }
      return null;
    },
  },
  {
    name: 'I12 an unknown outcome has a cause',
    broken: ofEach((before, after, r) => {
      const { reason } = after.requests[r]!.row;
      if (!becomes(before, after, r, 'failed')) return null;
      const isUnknown = reason === reasonCode('outcome_unknown') || reason === reasonCode('initiation_unknown');
      return isUnknown && nothingWentWrong(after) ? 'nothing went wrong' : null;
    }),
  },
  {
    name: 'I13 a grant that was used up in time never ends as plainly expired',
    broken: ofEach((before, after, r) => {
      if (!becomes(before, after, r, 'expired')) return null;
      const grant = grantOf(after, r);
      const { expiresAt, lateEvidence } = after.requests[r]!.row;
      const usedInTime = grant?.used === Used.tokens && grant.usedAt < expiresAt;
      return usedInTime && lateEvidence === 0 ? 'the provider had given its answer before' : null;
    }),
  },
  {
    name: 'I13 what was pushed in time counts',
    broken: ofEach((before, after, r) => {
      if (!becomes(before, after, r, 'expired')) return null;
      const isTakenIn = before.requests[r]!.notifier.phase === 0 && after.requests[r]!.notifier.phase === 0;
      const { crashes, losses, lies } = after.whole;
      if (!isTakenIn || crashes + losses + lies > 0) return null;
      const grant = grantOf(after, r);
      const { expiresAt, lateEvidence } = after.requests[r]!.row;
      // What was stored late is late; what was thrown away is not.
      if (before.requests[r]!.row.heldAt !== 0) return null;
      const pushedInTime = grant?.used === Used.push && grant.person === Person.approved && grant.usedAt < expiresAt;
      return pushedInTime && lateEvidence === 0 ? 'its approval was pushed before' : null;
    }),
  },
  {
    name: 'the lease fences what only the owner may say',
    broken: ofEach((before, after, r) => {
      if (before.requests[r]!.row.status === after.requests[r]!.row.status) return null;
      for (const [p, poller] of before.pollers.entries()) {
        const { epoch } = poller.memory[r]!.job;
        const wrote = epoch !== 0 && after.pollers[p]!.memory[r]!.job.epoch === 0;
        const isOwner = before.whole.owner === p + 1 && before.whole.epoch === epoch;
        if (wrote && !isOwner) return `poller ${p + 1} ended it without owning its shard`;
      }
      return null;
    }),
  },
  {
    name: 'I14 the person is asked once',
    broken: ofEach((_before, after, r, { bounds }) => {
      const first = r * grantsOfRequest;
      const prompts = after.grants.slice(first, first + grantsOfRequest).filter(({ person }) => person !== Person.none);
      const allowed = bounds.onInitiationUnknown === 'fail' ? 1 : 2;
      return prompts.length > allowed ? `the person is asked ${prompts.length} times` : null;
    }),
  },
  {
    name: 'I15 one decision, equal to the outcome',
    broken: ofEach((_before, after, r) => {
      const { decision, decisions, status } = after.requests[r]!.row;
      if (decisions > 1) return 'it is decided twice';
      return decision !== 0 && decision !== status ? 'its decision is not its outcome' : null;
    }),
  },
  {
    name: 'the text on record is the text that the person saw',
    broken: ofEach((before, after, r) => {
      const { row } = after.requests[r]!;
      if (
        row.status < Status.pending ||
        (before.requests[r]!.row.status === row.status && before.requests[r]!.row.text === row.text)
      )
        return null;
      const grant = grantOf(after, r);
      if (grant === null || after.whole.lies > 0) return null;
      return grant.text === row.text ? null : 'the request shows another text';
    }),
  },
];
