import { apiClientBody } from '#lib/contracts';
import type { ApiClientRow, ApiClientValue, Database } from '#lib/persistence';
import type { z } from 'zod';
import { invalidMember } from '../http/invalid-member.js';

/** What of an API client can change; its key and its callback secret are made once. */
export const apiClientChangeBody = apiClientBody.omit({ callbackSecret: true });
export type ApiClientChangeBody = z.infer<typeof apiClientChangeBody>;

/**
 * What the store makes of a body. A rule that has gone since it was named may stay in the list: its id comes never again.
 *
 * @throws ProblemError `unknown_reference` for a rule that is new in the list and does not exist
 */
export async function apiClientValue(
  { rules, scopes, expiresAt, ...body }: ApiClientChangeBody,
  current: Pick<ApiClientRow, 'rules'> | null,
  known: Pick<Database['rules'], 'find'>,
): Promise<ApiClientValue> {
  const ids = rules && [...new Set(rules.map((id) => id.toLowerCase()))];
  for (const id of ids ?? []) {
    if (current?.rules?.includes(id) !== true && (await known.find(id)) === null) {
      throw invalidMember('/rules', `There is no rule ${id}.`, 'unknown_reference');
    }
  }
  return {
    ...body,
    scopes: [...new Set(scopes)],
    rules: ids,
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
  };
}
