import { maxPrompts, type InitiationUnknownPolicy } from '#lib/domain';

/** What the provider says to the start call; what is not final is followed by an acknowledgement. */
export type StartAnswer =
  | 'acknowledge'
  | 'refuse'
  | 'deny'
  /** Refuses the text; a plainer one is acknowledged. */
  | 'other-text'
  /** Is overloaded. */
  | 'not-now'
  /** The person is asked, and the connection breaks. */
  | 'lost';

/** Where the worker is killed, in the order in which it comes there. */
export const workerPoints = [
  /** The attempt is about to be written down. */
  'before opening',
  /** It is written down; nobody was called. */
  'after opening',
  /** The provider has the call. */
  'asked',
  /** The answer has arrived, and what follows is known; it has not been sent to the database. */
  'before the commit',
  /** It is committed; the worker does not know yet. */
  'after the commit',
] as const;
export type WorkerPoint = (typeof workerPoints)[number];

/** How far the request has come under the next worker, and how often the person may have been asked. */
export type StartEnd = readonly [
  end: 'pending' | 'denied' | 'initiation_unknown' | 'provider_rejected',
  prompts: 0 | 1 | 2,
];

type Ends = Readonly<Partial<Record<StartAnswer, Readonly<Record<InitiationUnknownPolicy, StartEnd>>>>>;

const both = (end: StartEnd) => ({ fail: end, 'ask-again': end });
const unknown = (prompts: 0 | 1, again: StartEnd) => ({
  fail: ['initiation_unknown', prompts] as const,
  'ask-again': again,
});

/** That it was an answer, and which, died with the process: the rule decides. */
const knownButNotRecorded = {
  acknowledge: unknown(1, ['pending', 2]),
  refuse: unknown(0, ['provider_rejected', 0]),
  deny: unknown(0, ['denied', 0]),
  'other-text': unknown(0, ['pending', 1]),
} as const;

/** The end of every cell. Nobody is asked twice unless the rule allows it, and then no more than twice. */
export const startEnds: Readonly<Record<WorkerPoint, Ends>> = {
  'before opening': { acknowledge: both(['pending', 1]) },
  'after opening': { acknowledge: unknown(0, ['pending', 1]) },
  asked: { acknowledge: unknown(1, ['pending', 2]) },
  'before the commit': {
    ...knownButNotRecorded,
    'not-now': unknown(0, ['pending', 1]),
    lost: unknown(1, ['pending', maxPrompts]),
  },
  'after the commit': {
    acknowledge: both(['pending', 1]),
    refuse: both(['provider_rejected', 0]),
    deny: both(['denied', 0]),
    'other-text': both(['pending', 1]),
    'not-now': both(['pending', 1]),
    lost: unknown(1, ['pending', maxPrompts]),
  },
};

/** The same where the worker lives and the connection breaks, on its way there or back: nothing was lost. */
export const startEndsOfBrokenCommit: Readonly<Record<'opening' | 'commit', Ends>> = {
  opening: { acknowledge: both(['pending', 1]) },
  commit: {
    acknowledge: both(['pending', 1]),
    refuse: both(['provider_rejected', 0]),
    deny: both(['denied', 0]),
    'other-text': both(['pending', 1]),
  },
};

/** A cell of the table. */
export interface StartCell {
  readonly answer: StartAnswer;
  readonly policy: InitiationUnknownPolicy;
  readonly end: StartEnd;
}

export const startCellsOf = (row: Ends): StartCell[] =>
  (Object.entries(row) as [StartAnswer, Record<InitiationUnknownPolicy, StartEnd>][]).flatMap(([answer, byPolicy]) =>
    (Object.entries(byPolicy) as [InitiationUnknownPolicy, StartEnd][]).map(([policy, end]) => ({
      answer,
      policy,
      end,
    })),
  );
