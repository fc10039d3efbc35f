/**
 * What the provider has to say when it is asked. `pending`: the person answers after the kill, and says yes. `lost`: the
 * grant is used up, and the connection breaks.
 */
export type ProviderAnswer = 'approve' | 'deny' | 'expired' | 'invalid-grant' | 'pending' | 'lost';

/** Where the poller is killed, in the order in which it comes there. */
export const points = [
  /** The provider has the call, and has done nothing. */
  'asked',
  /** The provider has answered, the grant is used up, and the answer is lost with the process. */
  'answered',
  /** The answer has arrived, and what follows is known; it has not been sent to the database. */
  'before the commit',
  /** It is committed; the poller does not know yet. */
  'after the commit',
] as const;
export type Point = (typeof points)[number];

/** How the request ends once another poller has taken over. */
export type End = 'approved' | 'denied' | 'expired' | 'outcome_unknown' | 'provider_error';

const nothingDone = {
  approve: 'approved',
  deny: 'denied',
  expired: 'expired',
  'invalid-grant': 'outcome_unknown',
  pending: 'approved',
} as const;
/** A grant is single use: whoever asks again is told that there is none. That somebody expired can be asked twice. */
const usedUp = {
  approve: 'outcome_unknown',
  deny: 'outcome_unknown',
  expired: 'expired',
  'invalid-grant': 'outcome_unknown',
} as const;
const committed = {
  approve: 'approved',
  deny: 'denied',
  expired: 'expired',
  'invalid-grant': 'provider_error',
} as const;

type Ends = Readonly<Partial<Record<ProviderAnswer, End>>>;

/** The end of every cell; no answer that was lost becomes an approval, a denial or an expiry without its evidence. */
export const ends: Readonly<Record<Point, Ends>> = {
  asked: nothingDone,
  answered: { ...usedUp, pending: 'approved', lost: 'outcome_unknown' },
  'before the commit': usedUp,
  'after the commit': committed,
};

/** The same where the process lives and the connection breaks at the commit, on its way there or back. */
export const endsOfBrokenCommit: Ends = committed;

export const cellsOf = (row: Ends) => Object.entries(row) as [ProviderAnswer, End][];
