import { MasterKeyMismatch, SealBroken } from '../errors.js';
import { keyMark, type Sealing } from '../sealing.js';
import { hex, statement, type Statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { sealedPlace, sealedTables, type SealedTable } from './sealed-columns.js';

/** What one pass over everything that is sealed did. */
export interface ResealResult {
  /** Values that are sealed with the active key now. */
  readonly resealed: number;
  /** Values that do not open with any key of this process; they stay as they are. */
  readonly closed: number;
  /** False when the pass was ended early. */
  readonly whole: boolean;
}

/**
 * Seals with the active key whatever another one has sealed, in small transactions: rows that somebody holds are left for
 * the next pass, a value is replaced only as it was read, and whatever ends the work half-way loses nothing.
 */
export async function reseal(context: StoreContext, signal?: AbortSignal): Promise<ResealResult> {
  let [resealed, closed] = [0, 0];
  for (const { table, select, update } of statements) {
    let after: readonly string[] | null = null;
    do {
      if (signal?.aborted === true) return { resealed, closed, whole: false };
      const done: Portion = await resealPortion(context, { table, select, update }, after);
      resealed += done.resealed;
      closed += done.closed;
      after = done.last;
    } while (after !== null);
  }
  return { resealed, closed, whole: true };
}

interface Portion {
  readonly resealed: number;
  readonly closed: number;
  /** The key of the last row; null when there is no more. */
  readonly last: readonly string[] | null;
}

interface TableStatements {
  readonly table: SealedTable;
  readonly select: Statement;
  readonly update: Statement;
}

type Row = Readonly<Record<string, Buffer | string | null>>;

function resealPortion(
  { sql, sealing }: StoreContext,
  { table, select, update }: TableStatements,
  after: readonly string[] | null,
): Promise<Portion> {
  const cursor = table.key.map((_, place) => after?.[place] ?? null);
  return sql.transaction(async (client) => {
    const { rows } = await client.query<Row>(select.text, [keyMark(sealing.activeKeyId), table.portion, ...cursor]);
    const anew = rows.map((row) => sealedAnew(sealing, table, row));
    const changed = anew.filter(({ values }) => Object.keys(values).length > 0);
    if (changed.length > 0)
      await client.query(update.text, [JSON.stringify(changed.map(({ key, values }) => ({ ...key, ...values })))]);
    const last = rows.at(-1);
    return {
      resealed: changed.reduce((sum, { values }) => sum + Object.keys(values).length, 0),
      closed: anew.reduce((sum, row) => sum + row.closed, 0),
      last: last === undefined || rows.length < table.portion ? null : keyOf(table, last),
    };
  });
}

function sealedAnew(sealing: Sealing, table: SealedTable, row: Row) {
  const key = keyOf(table, row);
  const values: Record<string, string> = {};
  let closed = 0;
  for (const column of table.columns) {
    const sealed = row[column] as Buffer | null;
    if (sealed === null || sealing.keyIdOf(sealed) === sealing.activeKeyId) continue;
    const place = sealedPlace(table, column, key);
    const text = opened(sealing, sealed, place);
    if (text === null) closed++;
    else values[column] = hex(sealing.seal(text, place));
  }
  return { key: Object.fromEntries(table.key.map(({ column }, place) => [column, key[place]!])), values, closed };
}

function opened(sealing: Sealing, sealed: Buffer, place: Parameters<Sealing['open']>[1]): string | null {
  try {
    return sealing.open(sealed, place);
  } catch (error) {
    if (error instanceof SealBroken || error instanceof MasterKeyMismatch) return null;
    throw error;
  }
}

const keyOf = ({ key }: SealedTable, row: Row): string[] => key.map(({ column }) => String(row[column]));

/** Whether a column was sealed with another key than the one whose mark is the parameter; the mark is its first bytes. */
export const sealedByOthers = (column: string, mark: string): string =>
  `substring(${column} from 1 for octet_length(${mark})) <> ${mark}`;

function statementsOf(table: SealedTable): TableStatements {
  const names = table.key.map(({ column }) => column).join(', ');
  const cursor = table.key.map(({ type }, place) => `$${place + 3}::${type}`).join(', ');
  const typed = [
    ...table.key.map(({ column, type }) => `${column} ${type}`),
    ...table.columns.map((column) => `${column} bytea`),
  ].join(', ');
  const same = table.key.map(({ column }) => `t.${column} = input.${column}`).join(' and ');
  return {
    table,
    select: statement(
      `select_sealed_${table.table}`,
      /* sql */ `
      select ${table.key.map(({ column }) => `${column}::text`).join(', ')}, ${table.columns.join(', ')}
      from ${table.table}
      where ($3::${table.key[0]!.type} is null or (${names}) > (${cursor}))
        and (${table.columns.map((column) => sealedByOthers(column, '$1::bytea')).join(' or ')})
      order by ${names} limit $2::integer for no key update skip locked`,
    ),
    update: statement(
      `reseal_${table.table}`,
      /* sql */ `
      update ${table.table} t set ${table.columns.map((column) => `${column} = coalesce(input.${column}, t.${column})`).join(', ')}
      from json_to_recordset($1::json) as input (${typed}) where ${same}`,
    ),
  };
}

const statements = sealedTables.map(statementsOf);
