import { Random } from './random.js';

/** What the person does with the question. */
export interface PersonPlan {
  readonly person: 'approve' | 'deny' | 'silent';
  /** From the start call to the answer; an answer after the deadline is a late one. */
  readonly afterMs: number;
  /** How often the provider says `slow_down` first, whatever the rhythm. */
  readonly slowDowns: number;
  /** How often each ping is sent. */
  readonly pings: number;
  /** Holds back an answer that uses the grant up; 0: not. */
  readonly redeemDelayMs: number;
}

/** What the application does. */
export interface CallerPlan {
  readonly client: number;
  readonly rule: RuleName;
  readonly callback: boolean;
  /** So many submissions at a time with one key. */
  readonly submissions: number;
  readonly preferWaitSeconds: number;
  /** Withdraws the request so long after it was accepted, or while its tokens are on the way; null: never. */
  readonly cancel: number | 'while-redeemed' | null;
  readonly consume: 'once' | 'race' | 'retry-by-key' | 'mismatch-first' | 'foreign-first' | 'too-late' | 'never';
  readonly afterwards: 'replay' | 'other-body' | 'none';
}

/** One request of the run: everything about it that does not depend on scheduling. */
export interface RequestPlan {
  readonly number: number;
  /** From the beginning of the load. */
  readonly atMs: number;
  readonly loginHint: string;
  readonly amount: number;
  readonly caller: CallerPlan;
  readonly person: PersonPlan;
}

/** The rules of the run. */
export const ruleDefinitions = {
  Poll: terms('poll', 'fail', false, 25, 1),
  'Poll, ask again': terms('poll', 'ask-again', true, 25, 1),
  Ping: terms('ping', 'fail', true, 40, 2),
  'Ping, ask again': terms('ping', 'ask-again', false, 40, 2),
  Brief: terms('poll', 'fail', true, 7, 1),
  Patient: terms('poll', 'fail', false, 60, 1),
} as const;
export type RuleName = keyof typeof ruleDefinitions;
export const ruleNames = Object.keys(ruleDefinitions) as RuleName[];

function terms(
  deliveryMode: 'poll' | 'ping',
  onInitiationUnknown: 'fail' | 'ask-again',
  releaseAccessToken: boolean,
  expiresInSeconds: number,
  intervalSeconds: number,
) {
  const consumeWithinSeconds = 90;
  return {
    deliveryMode,
    onInitiationUnknown,
    releaseAccessToken,
    expiresInSeconds,
    intervalSeconds,
    consumeWithinSeconds,
  };
}

/** How long an approval under the rule `Brief` may be consumed. */
export const briefConsumeSeconds = 5;

/** So many of the first requests meet a provider that says `slow_down` three times. */
const slowedDown = 3;

/** The n-th request of a run. Each follows from seed and number alone. */
export function planRequest(seed: number, number: number, atMs: number, hintMarker: string): RequestPlan {
  const random = new Random(seed, `request ${number}`);
  const slowed = number < slowedDown;
  const rule = slowed
    ? 'Patient'
    : random.weighted<RuleName>([
        ['Poll', 36],
        ['Poll, ask again', 20],
        ['Ping', 16],
        ['Ping, ask again', 12],
        ['Brief', 16],
      ]);
  const { expiresInSeconds } = ruleDefinitions[rule];
  // A few requests in any hundred are cancelled in the moment in which their grant is used up.
  const lateApproval = !slowed && number % 40 === 7;
  const cancel = lateApproval ? 'while-redeemed' : !slowed && random.chance(0.08) ? random.int(0, 6_000) : null;
  const behaviour = random.weighted<'approve' | 'deny' | 'silent' | 'late'>([
    ['approve', 62],
    ['deny', 18],
    ['silent', 12],
    ['late', 8],
  ]);
  const person = slowed || lateApproval ? 'approve' : behaviour === 'late' ? 'approve' : behaviour;
  const afterMs =
    behaviour === 'late' && !slowed && !lateApproval
      ? expiresInSeconds * 1000 + random.int(-200, 3_000)
      : random.int(50, Math.min(8_000, expiresInSeconds * 600));
  return {
    number,
    atMs,
    loginHint: `${hintMarker}-${number}@people.example`,
    amount: random.int(1, 100_000),
    caller: {
      client: random.int(0, 2),
      rule,
      callback: random.chance(0.4),
      submissions: random.chance(0.1) ? random.int(2, 4) : 1,
      preferWaitSeconds: random.chance(0.2) ? random.int(1, 10) : 0,
      cancel,
      consume: random.weighted<CallerPlan['consume']>([
        ['once', 30],
        ['race', 25],
        ['retry-by-key', 20],
        ['mismatch-first', 8],
        ['foreign-first', 7],
        [rule === 'Brief' ? 'too-late' : 'once', 5],
        ['never', 5],
      ]),
      afterwards: random.weighted<CallerPlan['afterwards']>([
        ['none', 80],
        ['replay', 13],
        ['other-body', 7],
      ]),
    },
    person: {
      person,
      afterMs,
      slowDowns: slowed ? 3 : random.chance(0.02) ? 1 : 0,
      pings: random.chance(0.15) ? 2 : 1,
      redeemDelayMs: lateApproval ? random.int(400, 900) : 0,
    },
  };
}
