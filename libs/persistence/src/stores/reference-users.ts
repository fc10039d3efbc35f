import type { EntityManager } from 'typeorm';
import type { ReferenceUser } from './admin.types.js';

/** What may refer to an administered object: columns of rules, and of the versions that unended requests run under. */
const references = {
  tokenProvider: { rule: ['token_provider_id'], version: ['v.token_provider_id::text'] },
  keyPair: { rule: ['key_pair_id'], version: ['v.key_pair_id::text'] },
  rejectionHandler: {
    rule: ['timeout_rejection_handler_id', 'deny_rejection_handler_id', 'error_rejection_handler_id'],
    version: [
      `v.definition->>'timeoutRejectionHandlerId'`,
      `v.definition->>'denyRejectionHandlerId'`,
      `v.definition->>'errorRejectionHandlerId'`,
    ],
  },
} as const;

/** A kind of object that others refer to. */
export type Referable = keyof typeof references;

/** Names up to ten users of an object: rules, then requests that have not ended and started under it. */
export async function usersOf(manager: EntityManager, kind: Referable, id: string): Promise<ReferenceUser[]> {
  const { rule, version } = references[kind];
  const rules: { id: string; name: string }[] = await manager.query(
    `select id, name from rules where $1 in (${rule.join(', ')}) order by name limit 10`,
    [id],
  );
  const users: ReferenceUser[] = rules.map((row) => ({ kind: 'rule', ...row }));
  if (users.length > 0) return users;
  return unendedRequests(manager, `$1 in (${version.join(', ')})`, id.toLowerCase());
}

/** Names up to ten requests of a rule that have not ended. */
export const unendedRequestsOfRule = (manager: EntityManager, ruleId: string): Promise<ReferenceUser[]> =>
  unendedRequests(manager, 'v.rule_id = $1', ruleId);

async function unendedRequests(manager: EntityManager, condition: string, id: string): Promise<ReferenceUser[]> {
  // Two branches, so that each finds its partial index.
  const branch = (status: 'requested' | 'pending') => `
    (select r.id, r.rule_name as name from authorization_requests r
      join rule_versions v on v.rule_id = r.rule_id and v.version = r.rule_version
      where r.status = '${status}' and ${condition} limit 10)`;
  const requests: { id: string; name: string }[] = await manager.query(
    `${branch('requested')} union all ${branch('pending')} limit 10`,
    [id],
  );
  return requests.map((row) => ({ kind: 'authorization-request', ...row }));
}
