import { changesBetween } from '#lib/domain';

type Members = Readonly<Record<string, unknown>>;

/** A member that somebody has changed: what it was, what they made of it, and what is wanted here. */
export interface Difference {
  readonly member: string;
  readonly theirs: unknown;
  readonly mine: unknown;
  /** Both have changed it, each to something else. */
  readonly conflict: boolean;
  /** What is kept unless somebody says otherwise: whatever only one side has changed. */
  readonly kept: 'theirs' | 'mine';
}

const differ = (one: unknown, other: unknown): boolean => changesBetween(one ?? null, other ?? null).length > 0;

/** What two people have made of one object, member by member, where they do not agree. */
export function differencesOf(base: Members, mine: Members, theirs: Members): Difference[] {
  const members = [...new Set([...Object.keys(mine), ...Object.keys(theirs)])];
  return members
    .filter((member) => differ(mine[member], theirs[member]))
    .map((member) => {
      const [byMe, byThem] = [differ(base[member], mine[member]), differ(base[member], theirs[member])];
      return {
        member,
        theirs: theirs[member],
        mine: mine[member],
        conflict: byMe && byThem,
        kept: byMe ? 'mine' : 'theirs',
      };
    });
}
