import { canonicalJson, NotCanonical } from '#lib/domain';
import { isRecord } from './strict-json.js';

/** The members whose values are sets: their order has no meaning (RFC 9396 §2.2). */
const setMembers = ['locations', 'actions', 'datatypes', 'privileges'];

/**
 * Whether exactly what was asked for was granted: each detail with the same members and values, as often as asked.
 *
 * The order of details, of members, and of the values of the common sets does not matter. Whatever is missing, added,
 * narrower or wider makes a difference: the person agreed to something else than was asked.
 */
export function areDetailsGranted(asked: readonly unknown[], granted: unknown): boolean {
  if (!Array.isArray(granted) || granted.length !== asked.length) return false;
  try {
    const wanted = asked.map(canonicalDetail).sort();
    const given = granted.map(canonicalDetail).sort();
    return wanted.every((detail, index) => detail === given[index]);
  } catch (error) {
    // What has no one meaning equals nothing.
    if (error instanceof NotCanonical) return false;
    throw error;
  }
}

function canonicalDetail(detail: unknown): string {
  if (!isRecord(detail)) return canonicalJson(detail);
  return canonicalJson(Object.fromEntries(Object.entries(detail).map(([name, value]) => [name, inOrder(name, value)])));
}

function inOrder(name: string, value: unknown): unknown {
  return setMembers.includes(name) && Array.isArray(value) ? value.map((item) => canonicalJson(item)).sort() : value;
}
