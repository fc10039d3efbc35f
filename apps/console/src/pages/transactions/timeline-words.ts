import { bootstrapClientId, userPrefix } from '#lib/contracts';
import { counted } from '../../parts/counted.js';
import { lengthOfTime, reasonWords } from './words.js';

/** What somebody is called who may be an API client, by its id. */
export type NameOf = (client: string) => string | undefined;

/** Who has done something, from how a timeline names them. */
function whoWords(by: string, nameOf: NameOf): string {
  if (by === 'person' || by === 'provider') return `the ${by}`;
  if (by === bootstrapClientId) return 'the bootstrap key';
  return by.startsWith(userPrefix) ? by.slice(userPrefix.length) : (nameOf(by) ?? by);
}

type Words = (value: unknown, nameOf: NameOf) => string | null;

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const lasts = (seconds: unknown): string => lengthOfTime(Number(seconds) * 1000);
const only =
  (expected: boolean, words: string): Words =>
  (value) =>
    value === expected ? words : null;

const members: Readonly<Record<string, Words>> = {
  rule: text,
  version: (value) => `version ${text(value)}`,
  expiresInSeconds: (value) => `${lasts(value)} to answer`,
  intervalSeconds: (value) => `polled every ${lasts(value)}`,
  byNotification: only(true, 'told by a notification'),
  acr: (value) => `acr ${text(value)}`,
  polls: (value) => (value === 0 ? null : `after ${counted(Number(value), 'poll')}`),
  by: (value, nameOf) => `by ${whoWords(text(value), nameOf)}`,
  asked: (value) => (value === true ? 'nobody answered' : 'the person was never asked'),
  saidBy: (value) => `as the ${text(value)} said`,
  lateApproval: only(true, 'the approval came too late'),
  reason: (value) => reasonWords(text(value)),
  error: text,
  // The end of the request says the one, its record the other.
  outcome: () => null,
  decisionId: () => null,
};

/** What an entry of a timeline tells besides its title; what a later version may tell, as it is. */
export function entryDetails(detail: Readonly<Record<string, unknown>>, nameOf: NameOf): string[] {
  return Object.entries(detail).flatMap(([name, value]) => {
    if (value === null || value === undefined) return [];
    if (Object.hasOwn(members, name)) return members[name]!(value, nameOf) ?? [];
    const spaced = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return `${spaced}: ${text(value)}`;
  });
}
