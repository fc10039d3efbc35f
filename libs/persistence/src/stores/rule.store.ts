import type { Page, PageQuery } from '#lib/contracts';
import { ruleDefaults, type RuleDefinition } from '#lib/domain';
import { In, type EntityManager } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';
import { v7 as uuid } from 'uuid';
import { system, within } from '../audit/acting.js';
import { auditChange } from '../audit/audit-change.js';
import type { Acting } from '../audit/acting.js';
import { isSealed } from '../errors.js';
import { isUuid } from '../paging.js';
import { sameSecret } from '../same-secret.js';
import type { SealPlace } from '../sealing.js';
import { ShortCache } from '../short-cache.js';
import { statement } from '../sql.js';
import { isStorable } from '../storable.js';
import type { StoreContext } from '../store-context.js';
import { rulesTable, ruleVersionsTable, type RuleColumns } from '../tables/rules.table.js';
import { AdminTable, brokenConstraint } from './admin-table.js';
import type {
  CreateResult,
  DeleteResult,
  RuleForSubmit,
  RuleRow,
  RuleStore,
  RuleValue,
  UpdateResult,
} from './admin.types.js';
import { unendedRequestsOfRule } from './reference-users.js';

/** Where the client secret of one version of a rule is sealed. */
export const clientSecretPlace = (ruleId: string, version: number): SealPlace => ({
  table: 'rule_versions',
  column: 'client_secret',
  id: `${ruleId}:${version}`,
});

/** Rules. Every change writes a new version beside the old ones; versions outlive their rule. */
export class TypeormRuleStore implements RuleStore {
  private readonly table: AdminTable<RuleColumns>;
  private readonly forSubmit = new ShortCache<RuleForSubmit>({ ttlMs: 1_000, maxEntries: 1_000 });

  constructor(private readonly context: StoreContext) {
    this.table = new AdminTable(context.dataSource, rulesTable);
  }

  async create({ definition, clientSecret }: RuleValue, acting: Acting = system): Promise<CreateResult<RuleRow>> {
    const id = uuid();
    try {
      const row = await within(this.context, acting, async (manager) => {
        await this.writeVersion(manager, id, 1, definition, clientSecret);
        const columns = { ...columnsOf(definition), clientSecretSetAt: clientSecret === null ? null : new Date() };
        const created = toRow(await this.table.insert(id, columns, manager), definition);
        await this.audit(manager, acting, null, created);
        return created;
      });
      return { kind: 'created', row };
    } catch (error) {
      return refusal(error);
    }
  }

  async find(id: string, { within: given }: Acting = system): Promise<RuleRow | null> {
    const columns = await this.table.find(id, given?.manager);
    return columns === null ? null : (await this.withDefinitions([columns], given?.manager))[0]!;
  }

  async findByName(name: string, { within: given }: Acting = system): Promise<RuleRow | null> {
    const columns = await this.table.findBy('name', name, given?.manager);
    return columns === null ? null : (await this.withDefinitions([columns], given?.manager))[0]!;
  }

  async list(query: PageQuery): Promise<Page<RuleRow>> {
    const { data, nextCursor } = await this.table.list(query);
    return { data: await this.withDefinitions(data), nextCursor };
  }

  async ofTokenProvider(tokenProviderId: string, limit: number): Promise<RuleRow[]> {
    if (!isUuid(tokenProviderId)) return [];
    const rules = await this.context.dataSource.manager.find(rulesTable, {
      where: { tokenProviderId },
      order: { id: 'ASC' },
      take: limit,
    });
    return this.withDefinitions(rules);
  }

  async update(
    id: string,
    expectedVersion: number | null,
    value: RuleValue,
    acting: Acting = system,
  ): Promise<UpdateResult<RuleRow>> {
    const { definition } = value;
    try {
      return await within(this.context, acting, async (manager): Promise<UpdateResult<RuleRow>> => {
        const current = await this.table.lock(id, manager);
        if (current === null) return { kind: 'not-found' };
        const before = (await this.withDefinitions([current], manager))[0]!;
        if (expectedVersion !== null && current.version !== expectedVersion) {
          return { kind: 'version-mismatch', current: before };
        }
        const { secret, setAt } = await this.secretOfNextVersion(manager, current, value);
        await this.writeVersion(manager, id, current.version + 1, definition, secret);
        const columns = { ...columnsOf(definition), clientSecretSetAt: setAt };
        const outcome = await this.table.change(id, current.version, columns, manager);
        if (outcome.kind !== 'updated') throw new Error(`Rule ${id} moved although it was locked.`);
        const row = toRow(outcome.row, definition);
        await this.audit(manager, acting, before, row);
        return { kind: 'updated', row };
      });
    } catch (error) {
      return refusal(error);
    } finally {
      this.forSubmit.clear();
    }
  }

  async delete(id: string, expectedVersion: number | null, acting: Acting = system): Promise<DeleteResult<RuleRow>> {
    try {
      return await within(this.context, acting, async (manager): Promise<DeleteResult<RuleRow>> => {
        const columns = await this.table.lock(id, manager);
        if (columns === null) return { kind: 'not-found' };
        const current = (await this.withDefinitions([columns], manager))[0]!;
        if (expectedVersion !== null && current.version !== expectedVersion) {
          return { kind: 'version-mismatch', current };
        }
        const users = await unendedRequestsOfRule(manager, id);
        if (users.length > 0) return { kind: 'in-use', users };
        await this.table.remove(id, null, manager);
        await this.audit(manager, acting, current, null);
        return { kind: 'deleted' };
      });
    } finally {
      this.forSubmit.clear();
    }
  }

  async findForSubmit(idOrName: string): Promise<RuleForSubmit | null> {
    if (!isStorable(idOrName)) return null;
    return this.forSubmit.get(idOrName, async () => {
      const row = await this.context.sql.row<RuleForSubmit>(findForSubmit, [
        idOrName,
        isUuid(idOrName) ? idOrName : null,
      ]);
      return row;
    });
  }

  async isClientSecret(id: string, secret: string): Promise<boolean> {
    const row = await this.context.sql.row<{ version: number; client_secret: Buffer | null }>(selectClientSecret, [id]);
    if (row === null || row.client_secret === null) return false;
    try {
      return sameSecret(this.context.sealing.open(row.client_secret, clientSecretPlace(id, row.version)), secret);
    } catch (error) {
      if (isSealed(error)) return false;
      throw error;
    }
  }

  private audit(manager: EntityManager, acting: Acting, before: RuleRow | null, after: RuleRow | null): Promise<void> {
    const { id, version, definition } = (after ?? before)!;
    // When the secret was set tells that it was.
    const view = ({ definition: shown, clientSecretSetAt }: RuleRow) => ({ ...shown, clientSecretSetAt });
    return auditChange(manager, acting, {
      resource: { type: 'rule', id, name: definition.name },
      version,
      before: before && view(before),
      after: after && view(after),
      columns: {},
    });
  }

  // The secret moves to each new version, sealed anew: a seal is bound to its row.
  private async secretOfNextVersion(
    manager: EntityManager,
    current: RuleColumns,
    { definition, clientSecret }: RuleValue,
  ): Promise<{ secret: string | null; setAt: Date | null }> {
    if (clientSecret !== null) return { secret: clientSecret, setAt: new Date() };
    if (definition.clientCredentials.type !== 'secret') return { secret: null, setAt: null };
    const { id: ruleId, version } = current;
    const kept = await manager.findOneByOrFail(ruleVersionsTable, { ruleId, version });
    if (kept.clientSecret === null) return { secret: null, setAt: null };
    const secret = this.context.sealing.open(kept.clientSecret, clientSecretPlace(ruleId, version));
    return { secret, setAt: current.clientSecretSetAt };
  }

  private async writeVersion(
    manager: EntityManager,
    ruleId: string,
    version: number,
    definition: RuleDefinition,
    secret: string | null,
  ): Promise<void> {
    const { tokenProviderId, keyPairId } = columnsOf(definition);
    const document = definition as QueryDeepPartialEntity<RuleDefinition>;
    const clientSecret = secret === null ? null : this.context.sealing.seal(secret, clientSecretPlace(ruleId, version));
    await manager.insert(ruleVersionsTable, {
      ruleId,
      version,
      definition: document,
      tokenProviderId,
      keyPairId,
      clientSecret,
      unsignedFapi: definition.fapi && definition.signedRequest === false,
    });
  }

  private async withDefinitions(
    rules: readonly RuleColumns[],
    manager: EntityManager = this.context.dataSource.manager,
  ): Promise<RuleRow[]> {
    const versions = await manager.find(ruleVersionsTable, {
      select: { ruleId: true, version: true, definition: true },
      where: { ruleId: In(rules.map((rule) => rule.id)), version: In([...new Set(rules.map((rule) => rule.version))]) },
    });
    const definitions = new Map(versions.map((row) => [`${row.ruleId}:${row.version}`, row.definition]));
    return rules.map((rule) => toRow(rule, definitions.get(`${rule.id}:${rule.version}`)!));
  }
}

const selectClientSecret = statement(
  'select_client_secret',
  /* sql */ `
  select v.version, v.client_secret from rules r
  join rule_versions v on v.rule_id = r.id and v.version = r.version where r.id = $1::uuid`,
);

const findForSubmit = statement(
  'find_rule_for_submit',
  /* sql */ `
  select r.id, r.version, v.definition, json_build_object('id', p.id, 'issuer', p.issuer, 'profile', p.profile) as provider
  from rules r
  join rule_versions v on v.rule_id = r.id and v.version = r.version
  join token_providers p on p.id = r.token_provider_id
  where r.id = $2::uuid or r.name = $1
  order by r.id = $2::uuid desc nulls last
  limit 1`,
);

const columnsOf = (definition: RuleDefinition) => ({
  name: definition.name,
  tokenProviderId: definition.tokenProviderId,
  keyPairId: definition.clientCredentials.type === 'mutual-tls' ? definition.clientCredentials.keyPairId : null,
  timeoutRejectionHandlerId: definition.timeoutRejectionHandlerId,
  denyRejectionHandlerId: definition.denyRejectionHandlerId,
  errorRejectionHandlerId: definition.errorRejectionHandlerId,
});

const toRow = (columns: RuleColumns, definition: RuleDefinition): RuleRow => ({
  id: columns.id,
  version: columns.version,
  createdAt: columns.createdAt,
  updatedAt: columns.updatedAt,
  // Versions that were written before a member came have its default.
  definition: { ...ruleDefaults, ...definition },
  clientSecretSetAt: columns.clientSecretSetAt,
});

/** Which member of a rule names an object that does not exist. */
const memberOf: Readonly<Record<string, string>> = {
  rules__token_provider_id_fk: 'tokenProviderId',
  rules__key_pair_id_fk: 'clientCredentials/keyPairId',
  rules__timeout_rejection_handler_id_fk: 'timeoutRejectionHandlerId',
  rules__deny_rejection_handler_id_fk: 'denyRejectionHandlerId',
  rules__error_rejection_handler_id_fk: 'errorRejectionHandlerId',
};

function refusal(error: unknown): { kind: 'name-taken' } | { kind: 'unknown-reference'; member: string } {
  const constraint = brokenConstraint(error);
  if (constraint === 'rules__name_key') return { kind: 'name-taken' };
  if (constraint !== null && Object.hasOwn(memberOf, constraint)) {
    return { kind: 'unknown-reference', member: memberOf[constraint]! };
  }
  throw error;
}
