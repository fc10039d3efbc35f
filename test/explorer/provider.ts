import type { PollOutcome, StartOutcome } from '#lib/ciba';
import { forgedToken, Person, Used } from './codes.js';
import { grantsOfRequest, type State } from './state.js';
import type { Actor, Kind, World } from './world.js';

/** The outcomes of a poll, as the CIBA client reports them. */
export const pollOutcomes: readonly PollOutcome[] = [
  { kind: 'not-sent', detail: '' },
  { kind: 'pending', retryAfterSeconds: null },
  { kind: 'slow-down', retryAfterSeconds: null, intervalSeconds: null },
  {
    kind: 'tokens',
    answer: {
      accessToken: 'at',
      tokenType: 'Bearer',
      expiresInSeconds: 60,
      scope: null,
      idToken: 'id',
      refreshToken: null,
      authorizationDetails: null,
    },
  },
  { kind: 'denied', description: null },
  { kind: 'expired' },
  { kind: 'invalid-grant', description: null },
  { kind: 'refused', error: { code: 'invalid_request', description: null } },
  { kind: 'unavailable', detail: '' },
  { kind: 'lost', detail: '' },
];
const outcomeCode = (kind: PollOutcome['kind']): number => pollOutcomes.findIndex((outcome) => outcome.kind === kind);

/** What the provider does with a poll, and what reaches the poller of it. */
export interface PollReply {
  readonly label: string;
  readonly outcome: number;
  readonly token: number;
  readonly used: number;
  readonly kind: Kind;
  readonly cost: 'losses' | 'lies' | null;
  readonly inTransit: boolean;
}

const reply = (kind: PollOutcome['kind'], more: Partial<PollReply> = {}): PollReply => ({
  label: kind,
  outcome: outcomeCode(kind),
  token: 0,
  used: Used.no,
  kind: more.cost ? 'fault' : 'step',
  cost: null,
  inTransit: false,
  ...more,
});

/** Every reply that a poll for this `auth_req_id` may get, honest ones first. */
export function repliesToPoll(state: State, world: World, request: number, authReqId: number): PollReply[] {
  const { losses, lies, tick } = state.whole;
  const honest = honestReplies(state, authReqId, tick >= state.requests[request]!.row.expiresAt - 1);
  const replies = [...honest];
  if (losses < world.bounds.losses) {
    replies.push(reply('not-sent', { cost: 'losses' }));
    replies.push(reply('lost', { label: 'lost before it was read', cost: 'losses' }));
    replies.push(reply('lost', { label: 'given up while it is under way', cost: 'losses', inTransit: true }));
    for (const { label, used } of honest) {
      if (used !== Used.no)
        replies.push(reply('lost', { label: `${label}, and the answer is lost`, used, cost: 'losses' }));
    }
  }
  if (lies < world.bounds.lies) replies.push(...dishonestReplies(state, request, authReqId));
  return replies;
}

function honestReplies(state: State, authReqId: number, isOver: boolean): PollReply[] {
  const grant = state.grants[authReqId - 1]!;
  if (grant.used !== Used.no) return [reply('invalid-grant')];
  const replies: PollReply[] = [];
  if (grant.person === Person.approved) replies.push(reply('tokens', { token: authReqId, used: Used.tokens }));
  else if (grant.person === Person.denied) replies.push(reply('denied', { used: Used.denial }));
  else replies.push(reply('pending'));
  // Its clock is its own: over for us may be over for it, or forgotten already.
  if (isOver) replies.push(reply('expired', { used: Used.expiry }), reply('invalid-grant', { used: Used.expiry }));
  return replies;
}

function dishonestReplies(state: State, request: number, authReqId: number): PollReply[] {
  const grant = state.grants[authReqId - 1]!;
  const cost = 'lies' as const;
  const replies = [
    reply('unavailable', { cost }),
    reply('refused', { cost }),
    reply('tokens', { label: 'forged tokens', token: forgedToken, cost }),
  ];
  // Whoever says slow_down says that the request is still pending (CIBA Core 1.0 §11).
  if (grant.used === Used.no) replies.push(reply('slow-down', { cost }));
  if (grant.used === Used.no)
    replies.push(reply('expired', { label: 'expired before its time', used: Used.expiry, cost }));
  if (grant.used === Used.tokens)
    replies.push(reply('tokens', { label: 'the tokens once more', token: authReqId, cost }));
  state.grants.forEach((other, i) => {
    const foreign = Math.floor(i / grantsOfRequest) !== request && other.person === Person.approved;
    if (foreign) replies.push(reply('tokens', { label: 'tokens of the other request', token: i + 1, cost }));
  });
  return replies;
}

/** What comes of a start call. */
export interface StartReply {
  readonly label: string;
  readonly outcome: number;
  /** The prompt is out. */
  readonly prompts: boolean;
  /** The `auth_req_id` is one that another request has got. */
  readonly foreignId?: true;
  readonly kind: Kind;
  readonly cost: 'losses' | 'lies' | null;
}

/** The outcomes of a start call; an acknowledgement is completed with its grant. */
export const startOutcomes: readonly StartOutcome[] = [
  { kind: 'acknowledged', authReqId: '', expiresInSeconds: 1000, intervalSeconds: 5 },
  { kind: 'unknown', detail: '' },
  { kind: 'refused', error: { code: 'access_denied', description: null } },
  { kind: 'refused', error: { code: 'unknown_user_id', description: null } },
  { kind: 'refused', error: { code: 'invalid_binding_message', description: null } },
  { kind: 'not-accepted', retryAfterSeconds: null, detail: '' },
  { kind: 'provider-error', detail: '' },
];

export function repliesToStart(state: State, world: World, request: number, text: number): StartReply[] {
  const { losses, lies } = state.whole;
  const { bounds } = world;
  const replies: StartReply[] = [{ label: 'acknowledged', outcome: 0, prompts: true, kind: 'step', cost: null }];
  // Whoever has taken a text does not refuse it later; the other way round may happen.
  const first = request * grantsOfRequest;
  const isTaken = state.grants
    .slice(first, first + grantsOfRequest)
    .some((grant) => grant.person !== Person.none && grant.text === 0);
  if (bounds.rewords && text === 0 && !isTaken) {
    replies.push({ label: 'the text is refused', outcome: 4, prompts: false, kind: 'step', cost: null });
  }
  if (losses < bounds.losses) {
    const lost = { outcome: 1, kind: 'fault', cost: 'losses' } as const;
    replies.push({ label: 'lost before it was read', prompts: false, ...lost });
    replies.push({ label: 'acknowledged, and the answer is lost', prompts: true, ...lost });
    replies.push({ ...lost, label: 'the connection is refused', prompts: false, outcome: 5 });
  }
  if (lies < bounds.lies) {
    const no = { prompts: false, kind: 'fault', cost: 'lies' } as const;
    replies.push({ label: 'refused by policy', outcome: 2, ...no });
    replies.push({ label: 'unknown user', outcome: 3, ...no });
    replies.push({ label: 'error 500', outcome: 6, ...no });
    if (bounds.requests > 1) {
      replies.push({ ...no, label: 'acknowledged with an id of the other request', outcome: 0, foreignId: true });
    }
  }
  return replies;
}

/** The person, who may press a button or not; and the polls that arrive when nobody waits for their answer. */
export const person: Actor = (state, _world, go) => {
  state.grants.forEach((grant, i) => {
    const request = Math.floor(i / grantsOfRequest) + 1;
    const prompt = `prompt ${i + 1} of request ${request}`;
    if (grant.person === Person.asked && grant.used === Used.no) {
      go(`the person approves ${prompt}`, (next) => (next.grants[i]!.person = Person.approved));
      go(`the person denies ${prompt}`, (next) => (next.grants[i]!.person = Person.denied));
    }
    if (grant.inTransit === 1) {
      go(`a poll that was given up reaches the provider (${prompt})`, (next) => {
        const reached = next.grants[i]!;
        reached.inTransit = 0;
        if (reached.used !== Used.no) return;
        if (reached.person === Person.approved) markUsed(next, i + 1, Used.tokens);
        else if (reached.person === Person.denied) markUsed(next, i + 1, Used.denial);
      });
    }
  });
};

/** A grant is used up. */
export function markUsed(next: State, authReqId: number, used: number): void {
  const grant = next.grants[authReqId - 1]!;
  if (used === Used.no || grant.used !== Used.no) return;
  grant.used = used;
  grant.usedAt = next.whole.tick + 1;
}
