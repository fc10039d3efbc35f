import type { ConfiguredApiClient } from '#lib/contracts';
import { changesBetween } from '#lib/domain';
import type { ApiClientRow, ApiClientValue } from '#lib/persistence';
import { hashOfKey, newApiKey, newWebhookSecret, prefixOfKey } from '../access/api-key.js';
import { invalidMember } from '../http/invalid-member.js';
import type { Names } from './names.js';
import { asJson, idOf, refuseUnknown, secretChange, settled, type PlannedChange, type Planning } from './step.js';

/**
 * What makes an API client what the configuration says. A new one without a key gets one, which is shown once.
 *
 * @throws ProblemError `unknown_reference`
 */
export async function planApiClient(
  { key: givenKey, callbackSecret: wanted, rules, ...body }: ConfiguredApiClient,
  row: ApiClientRow | null,
  planning: Planning,
): Promise<PlannedChange> {
  const { apiClients } = planning.database;
  rules?.forEach((name, index) => refuseUnknown(planning, 'rule', name, `/rules/${index}`));
  const ruleNames = rules && [...new Set(rules)];
  const value = {
    ...body,
    scopes: [...new Set(body.scopes)],
    expiresAt: body.expiresAt === null ? null : new Date(body.expiresAt),
  };
  if (givenKey !== undefined) await refuseFormerKey(givenKey, row, planning);
  const changesKey = row === null || (givenKey !== undefined && !(await apiClients.isKey(row.id, hashOfKey(givenKey))));
  const key = changesKey ? (givenKey ?? newApiKey()) : null;
  const callbackSecret = await callbackSecretOf(wanted, row, planning);
  return {
    changes: [
      ...changesBetween(
        row && asJson(apiClientBodyOf(row, planning.names)),
        asJson(apiClientBodyOf({ ...value, rules: null }, planning.names, ruleNames)),
      ),
      ...(key === null ? [] : [secretChange('/key', row !== null)]),
      ...(callbackSecret === null ? [] : [secretChange('/callbackSecret', row?.hasCallbackSecret === true)]),
    ],
    run: async (work) => {
      const ids = ruleNames && ruleNames.map((name) => idOf(work, 'rule', name));
      const keyed = key === null ? {} : { keyHash: hashOfKey(key), keyPrefix: prefixOfKey(key) };
      const change = { ...value, rules: ids, callbackSecret, ...keyed };
      const result = await (row === null
        ? apiClients.create({ ...change, keyHash: hashOfKey(key!), keyPrefix: prefixOfKey(key!) }, work.acting)
        : apiClients.update(row.id, row.version, change, work.acting));
      const { id } = settled(result, 'API client');
      const shown = { kind: 'api-client', name: body.name } as const;
      if (key !== null && givenKey === undefined) work.secrets.push({ ...shown, member: 'key', value: key });
      if (callbackSecret !== null && wanted === true) {
        work.secrets.push({ ...shown, member: 'callbackSecret', value: callbackSecret });
      }
      return id;
    },
  };
}

/**
 * A key that another client had stays that client's while the rotation's overlap lasts, and nobody else's later.
 *
 * @throws ProblemError `name_taken`
 */
async function refuseFormerKey(
  key: string,
  row: ApiClientRow | null,
  { database: { apiClients } }: Planning,
): Promise<void> {
  const keyHash = hashOfKey(key);
  const holder = await apiClients.findByKeyHash(keyHash);
  // Whoever has it now may be about to get another one.
  if (holder === null || holder.client.id === row?.id || (await apiClients.isKey(holder.client.id, keyHash))) return;
  throw invalidMember('/key', 'Another API client had this key before its last rotation.', 'name_taken');
}

/** The callback secret that is to be put in place; null: the one that is there stays, or there is none. */
async function callbackSecretOf(
  wanted: ConfiguredApiClient['callbackSecret'],
  row: ApiClientRow | null,
  { database: { apiClients } }: Planning,
): Promise<string | null> {
  if (wanted === undefined) return null;
  if (wanted === true) return row?.hasCallbackSecret === true ? null : newWebhookSecret();
  return row !== null && (await apiClients.isCallbackSecret(row.id, wanted)) ? null : wanted;
}

/** As a configuration shows it; rules that have gone are not shown, for their ids come never again. */
export const apiClientBodyOf = (
  value: ApiClientValue,
  names: Names,
  rules: readonly string[] | null = value.rules && value.rules.flatMap((id) => names.nameOf(id) ?? []),
) => ({
  name: value.name,
  scopes: [...value.scopes].sort(),
  enabled: value.enabled,
  rules: rules && [...rules].sort(),
  subjects: value.subjects,
  requestsPerMinute: value.requestsPerMinute,
  expiresAt: value.expiresAt?.toISOString() ?? null,
  oauthClient: value.oauthClient,
});
