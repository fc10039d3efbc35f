/** One member of a value that differs; what is not there is null. */
export interface Change {
  /** JSON pointer (RFC 6901) into the value. */
  readonly pointer: string;
  readonly before: unknown;
  readonly after: unknown;
}

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What differs between two JSON values, member by member in the order of their names; null stands for no value. A list
 * that differs is one change: what moved inside it says less than both lists do.
 */
export function changesBetween(before: unknown, after: unknown, pointer = ''): Change[] {
  if (isMembers(before) || isMembers(after)) {
    if (!(isMembers(before) || before === null) || !(isMembers(after) || after === null)) {
      return [{ pointer, before, after }];
    }
    const [one, other] = [before ?? {}, after ?? {}] as [Members, Members];
    const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
    return names.flatMap((name) => {
      const inner = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      return changesBetween(one[name] ?? null, other[name] ?? null, inner);
    });
  }
  return sameJson(before, after) ? [] : [{ pointer, before, after }];
}

function sameJson(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((entry, index) => sameJson(entry, other[index]));
  }
  if (isMembers(one) && isMembers(other)) return changesBetween(one, other).length === 0;
  return Object.is(one, other);
}
