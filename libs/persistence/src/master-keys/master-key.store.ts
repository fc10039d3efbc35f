import { system, type Acting } from '../audit/acting.js';
import { recordAudit } from '../audit/record-audit.js';
import { keyMark } from '../sealing.js';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { reseal, sealedByOthers } from './reseal.js';
import type { ForgetMasterKeyResult, MasterKeyStore, MasterKeyUse } from '../stores/work.types.js';
import { sealedTables } from './sealed-columns.js';

/** How long a pass that found everything in order counts. */
const cleanForSeconds = 3_600;

/** The master keys that have sealed something here, and their way out. */
export class PostgresMasterKeyStore implements MasterKeyStore {
  constructor(private readonly context: StoreContext) {}

  async list(): Promise<MasterKeyUse[]> {
    const { sql, sealing } = this.context;
    const rows = await sql.rows<KeyRow>(selectKeys);
    const uses: MasterKeyUse[] = [];
    for (const { id, created_at, resealed_at } of rows) {
      const counts = await sql.row<{ values: string; open_requests: string }>(countSealed, [keyMark(id), id]);
      uses.push({
        id,
        state: id === sealing.activeKeyId ? 'active' : sealing.keyIds.includes(id) ? 'opens' : 'missing',
        createdAt: created_at,
        resealedAt: resealed_at,
        sealedValues: Number(counts!.values),
        openRequests: Number(counts!.open_requests),
      });
    }
    return uses;
  }

  async resealRest(signal?: AbortSignal): Promise<number> {
    const { sql, sealing } = this.context;
    const others = await sql.rows<{ id: string; newer: boolean; due: boolean }>(selectOthers, [
      sealing.activeKeyId,
      cleanForSeconds,
    ]);
    // While a roll-out is under way two keys are active: the older one seals nothing anew.
    if (others.some(({ newer }) => newer) || !others.some(({ due }) => due)) return 0;
    const { resealed, closed, whole } = await reseal(this.context, signal);
    if (resealed > 0) await this.audit(resealed);
    if (closed > 0) this.context.log('error', 'Sealed values do not open with any master key', { values: closed });
    // Only a pass that found nothing left to do shows that nobody seals with another key any more.
    if (whole && resealed === 0) await sql.rows(noteClean, [sealing.activeKeyId]);
    return resealed;
  }

  /** One event for a pass: which values there were says nothing. */
  private audit(values: number): Promise<void> {
    const { sql, sealing } = this.context;
    const resource = { type: 'master-key', id: sealing.activeKeyId, name: null };
    const entry = { action: 'master-key.resealed', resource, detail: { values } };
    return sql.transaction((client) => recordAudit(client, system, entry));
  }

  async forget(id: string, acting: Acting = system): Promise<ForgetMasterKeyResult> {
    const { sql, sealing } = this.context;
    if (id === sealing.activeKeyId) return { kind: 'active' };
    return sql.transaction(async (client) => {
      const { rows } = await client.query<KeyRow>('select * from master_keys where id = $1 for update', [id]);
      if (rows.length === 0) return { kind: 'not-found' };
      const { rows: counts } = await client.query<{ values: string; open_requests: string }>(countSealed.text, [
        keyMark(id),
        id,
      ]);
      const [sealedValues, openRequests] = [Number(counts[0]!.values), Number(counts[0]!.open_requests)];
      if (sealedValues > 0 || openRequests > 0) return { kind: 'in-use', sealedValues, openRequests };
      await client.query('delete from master_keys where id = $1', [id]);
      const resource = { type: 'master-key', id, name: null };
      await recordAudit(client, acting, { action: 'master-key.forgotten', resource });
      return { kind: 'forgotten' };
    });
  }
}

interface KeyRow {
  readonly id: string;
  readonly created_at: Date;
  readonly resealed_at: Date | null;
}

const selectKeys = statement(
  'select_master_key_uses',
  'select id, created_at, resealed_at from master_keys order by created_at desc, id',
);

const selectOthers = statement(
  'select_other_master_keys',
  /* sql */ `
  select o.id, o.created_at > a.created_at as newer,
    o.resealed_at is null or o.resealed_at < clock_timestamp() - make_interval(secs => $2) as due
  from master_keys a join master_keys o on o.id <> a.id
  where a.id = $1`,
);

const noteClean = statement(
  'note_resealed_master_keys',
  'update master_keys set resealed_at = clock_timestamp() where id <> $1',
);

// Values that a key has sealed, and requests that began before the newest key did and whose notification tokens may bear
// its mark.
const countSealed = statement(
  'count_sealed_values',
  /* sql */ `
  select (${sealedTables
    .flatMap(({ table, columns }) =>
      columns.map((column) => `(select count(*) from ${table} where not (${sealedByOthers(column, '$1::bytea')}))`),
    )
    .join(' + ')}) as values,
    (select count(*) from authorization_requests r
      where r.status in ('requested', 'pending') and r.created_at < (
        select min(n.created_at) from master_keys n, master_keys o where o.id = $2::text and n.created_at > o.created_at)
    ) as open_requests`,
);
