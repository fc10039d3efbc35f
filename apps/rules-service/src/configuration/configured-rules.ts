import type { ConfiguredRule, RuleBody } from '#lib/contracts';
import { changesBetween, type RuleDefinition } from '#lib/domain';
import type { RuleRow, TokenProviderRow } from '#lib/persistence';
import { changedRule, newRule, refuseUnknownToProvider } from '../rules/rule-value.js';
import type { Names } from './names.js';
import { asJson, idOf, refuseUnknown, secretChange, settled, type PlannedChange, type Planning } from './step.js';

/** Stands for an object that is yet to be made. */
const unmade = '00000000-0000-7000-8000-000000000000';

/**
 * What makes a rule what the configuration says. A client secret is compared with the one that there is.
 *
 * @throws ProblemError for a rule that cannot work
 */
export async function planRule(
  body: ConfiguredRule,
  row: RuleRow | null,
  planning: Planning,
  profile: TokenProviderRow['profile'] | undefined,
): Promise<PlannedChange> {
  const { database, names } = planning;
  refuseUnknownReferences(body, planning);
  const known = ruleBodyOf(body, (kind, name) => names.idOf(kind, name) ?? unmade);
  if (profile !== undefined) refuseUnknownToProvider(known, profile);
  const valueOf = (asked: RuleBody) => (row === null ? newRule(asked) : changedRule(asked, row));
  const planned = valueOf(known);
  const { clientSecret } = planned;
  const kept = row !== null && clientSecret !== null && (await database.rules.isClientSecret(row.id, clientSecret));
  const secret = kept ? null : clientSecret;
  const changes = changesBetween(row && viewOf(row.definition, names), viewOf(planned.definition, names, body));
  const had = row !== null && row.clientSecretSetAt !== null;
  return {
    changes: secret === null ? changes : [...changes, secretChange('/clientCredentials/clientSecret', had)],
    run: async (work) => {
      const { definition } = valueOf(ruleBodyOf(body, (kind, name) => idOf(work, kind, name)));
      const value = { definition, clientSecret: secret };
      const result = await (row === null
        ? database.rules.create(value, work.acting)
        : database.rules.update(row.id, row.version, value, work.acting));
      const { id } = settled(result, 'rule');
      work.names.add('rule', body.name, id);
      return id;
    },
  };
}

function refuseUnknownReferences(body: ConfiguredRule, planning: Planning): void {
  refuseUnknown(planning, 'token-provider', body.tokenProvider, '/tokenProvider');
  if (body.clientCredentials.type === 'mutual-tls') {
    refuseUnknown(planning, 'key-pair', body.clientCredentials.keyPair, '/clientCredentials/keyPair');
  }
  for (const member of ['timeoutRejectionHandler', 'denyRejectionHandler', 'errorRejectionHandler'] as const) {
    refuseUnknown(planning, 'rejection-handler', body[member], `/${member}`);
  }
}

type Resolve = (kind: 'token-provider' | 'key-pair' | 'rejection-handler', name: string) => string;

/** The body that the API takes: ids in the place of names. */
function ruleBodyOf(
  {
    tokenProvider,
    clientCredentials,
    timeoutRejectionHandler,
    denyRejectionHandler,
    errorRejectionHandler,
    ...body
  }: ConfiguredRule,
  resolve: Resolve,
): RuleBody {
  const handler = (name: string | null) => name && resolve('rejection-handler', name);
  return {
    ...body,
    tokenProviderId: resolve('token-provider', tokenProvider),
    clientCredentials:
      clientCredentials.type === 'mutual-tls'
        ? {
            type: 'mutual-tls',
            keyPairId: resolve('key-pair', clientCredentials.keyPair),
            method: clientCredentials.method,
          }
        : clientCredentials,
    timeoutRejectionHandlerId: handler(timeoutRejectionHandler),
    denyRejectionHandlerId: handler(denyRejectionHandler),
    errorRejectionHandlerId: handler(errorRejectionHandler),
  };
}

/** A definition with names in the place of ids, as a configuration has it. */
export function namedRule(definition: RuleDefinition, names: Names): object {
  const { tokenProviderId, clientCredentials, ...rest } = definition;
  const { timeoutRejectionHandlerId, denyRejectionHandlerId, errorRejectionHandlerId, ...own } = rest;
  const name = (id: string | null) => id && (names.nameOf(id) ?? id);
  const { name: itself, ...more } = own;
  return {
    name: itself,
    tokenProvider: name(tokenProviderId),
    clientCredentials:
      clientCredentials.type === 'mutual-tls'
        ? { type: clientCredentials.type, keyPair: name(clientCredentials.keyPairId), method: clientCredentials.method }
        : clientCredentials,
    timeoutRejectionHandler: name(timeoutRejectionHandlerId),
    denyRejectionHandler: name(denyRejectionHandlerId),
    errorRejectionHandler: name(errorRejectionHandlerId),
    ...more,
  };
}

/** With `asked`, what is referred to goes by the names that stand there: it may not have an id yet. */
function viewOf(definition: RuleDefinition, names: Names, asked?: ConfiguredRule): unknown {
  const view = namedRule(definition, names) as Record<string, unknown>;
  if (asked === undefined) return asJson(view);
  const { tokenProvider, timeoutRejectionHandler, denyRejectionHandler, errorRejectionHandler } = asked;
  const credentials = asked.clientCredentials;
  return asJson({
    ...view,
    ...{ tokenProvider, timeoutRejectionHandler, denyRejectionHandler, errorRejectionHandler },
    ...(credentials.type === 'mutual-tls' && { clientCredentials: credentials }),
  });
}
