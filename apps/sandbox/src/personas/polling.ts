/** How a provider answers polls: a pure function over a few rules. */

export type PollVerdict =
  | 'authorization_pending'
  | 'slow_down'
  | 'access_denied'
  | 'expired_token'
  | 'invalid_grant'
  | 'invalid_request'
  | 'tokens';

export interface PollingRules {
  /** Between two polls, and before the first. */
  readonly intervalSeconds: number;
  /** Whether clients are told. */
  readonly announcesInterval: boolean;
  /** The speed is looked at before anything else: polling early hides a final answer. */
  readonly speedFirst?: true;
  readonly slowDown: {
    /** What an early poll adds to the interval. */
    readonly addsSeconds: number;
    /** Whether the wait begins anew with an early poll. */
    readonly restarts: boolean;
    /** Whether the wait stands in Retry-After and in the body. */
    readonly namesWait?: true;
  };
  readonly whenExpired: 'expired_token' | 'access_denied';
  /** How long after its end a request is still known, on top of an interval; null: for good. */
  readonly forgetsAfterSeconds: number | null;
  readonly whenUnknown: 'invalid_grant' | 'expired_token';
  /** The first denial is the last: the request is forgotten with it. */
  readonly forgetsDenied?: true;
  readonly whenRedeemed: 'invalid_grant' | 'invalid_request';
  /** How long a poll may be held until there is something to say; 0: answered at once. */
  readonly holdsSeconds: number;
  /** What a poll gets that comes while another one is held or being answered; null: the same as any. */
  readonly whenOverlapping: 'invalid_request' | null;
  /** Whether the scope has to be named again. */
  readonly wantsScope?: true;
  /** Other statuses than 400. */
  readonly statuses?: Partial<Readonly<Record<PollVerdict, number>>>;
}

/** What is known of a request when it is polled; moments in ms since the epoch. */
export interface PollState {
  readonly expiresAtMs: number;
  readonly intervalSeconds: number;
  /** When the wait for the next poll began. */
  readonly waitsSinceMs: number;
  readonly decision: 'none' | 'approved' | 'denied';
  readonly redeemed: boolean;
}

export interface PollAnswer {
  readonly verdict: PollVerdict;
  /** What has changed; null: the request is forgotten. */
  readonly change: Partial<PollState> | null;
}

/** Clocks and networks are not exact: what comes this little too early is in time. */
const toleranceMs = 150;

/** Answers one poll of a request that is known. */
export function answerPoll(rules: PollingRules, state: PollState, nowMs: number): PollAnswer {
  const { forgetsAfterSeconds, speedFirst, forgetsDenied, whenExpired, whenRedeemed } = rules;
  const { expiresAtMs, intervalSeconds, decision } = state;
  const goneAtMs = expiresAtMs + ((forgetsAfterSeconds ?? 0) + intervalSeconds) * 1000;
  if (forgetsAfterSeconds !== null && nowMs >= goneAtMs) return { verdict: rules.whenUnknown, change: null };
  const early = nowMs - state.waitsSinceMs < intervalSeconds * 1000 - toleranceMs;
  if (early && speedFirst) return slowDown(rules, state, nowMs);
  const change = { waitsSinceMs: nowMs };
  if (state.redeemed) return { verdict: whenRedeemed, change };
  if (decision === 'denied') return { verdict: 'access_denied', change: forgetsDenied ? null : change };
  if (nowMs >= expiresAtMs) return { verdict: whenExpired, change };
  if (decision === 'approved') return { verdict: 'tokens', change: { ...change, redeemed: true } };
  return early ? slowDown(rules, state, nowMs) : { verdict: 'authorization_pending', change };
}

function slowDown({ slowDown: { addsSeconds, restarts } }: PollingRules, state: PollState, nowMs: number): PollAnswer {
  return {
    verdict: 'slow_down',
    change: {
      intervalSeconds: state.intervalSeconds + addsSeconds,
      waitsSinceMs: restarts ? nowMs : state.waitsSinceMs,
    },
  };
}
