import { z } from 'zod';

/** The body of every PATCH; what it leads to is judged as a whole. */
export const mergePatchBody = z.record(z.string(), z.unknown());

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Applies a merge patch (RFC 7396): null removes a member.
 *
 * With one addition: an object whose `type` changes is replaced, because the members of one type mean nothing to another.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMembers(patch)) return patch;
  const merged: Record<string, unknown> = isMembers(target) && !changesType(target, patch) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

const changesType = (target: Members, patch: Members): boolean =>
  typeof patch['type'] === 'string' && typeof target['type'] === 'string' && patch['type'] !== target['type'];
