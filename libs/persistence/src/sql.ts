import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { repeatRolledBack } from './repeat-rolled-back.js';

/** A statement with a name: each connection parses and plans it once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Names a statement; `/* sql *\/` texts stand beside the function that runs them. */
export function statement(name: string, text: string): Statement {
  known.set(name, text);
  return { name: `assent_${name}`, text };
}

/**
 * `any(…)` over an array parameter that hides its length from the planner.
 *
 * A plan for the one id that a request brings when it comes alone looks cheaper than the kept one, which is for ten, so
 * that PostgreSQL would plan the statement for every request; that took longer than running it.
 */
export const anyOf = (parameter: `$${number}`, type: 'uuid' | 'smallint'): string =>
  `any((select ${parameter}::${type}[])::${type}[])`;

const known = new Map<string, string>();

/** Every statement that was named so far, by its name: what a release asks of the schema. */
export const namedStatements = (): Readonly<Record<string, string>> => Object.fromEntries([...known].sort());

/**
 * Runs statements on the pool; each is its own transaction unless it runs inside `transaction`. What the server rolls
 * back for the sake of another transaction is done again, whole, a few times.
 */
export class Sql {
  constructor(private readonly pool: Pool) {}

  async rows<Row extends QueryResultRow>({ name, text }: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    const run = () => this.pool.query<Row>({ name, text, values: [...values] });
    return (await repeatRolledBack(run)).rows;
  }

  /** Runs a text that was composed for its values, and is parsed and planned for them each time. */
  async unnamed<Row extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<Row[]> {
    return (await repeatRolledBack(() => this.pool.query<Row>(text, [...values]))).rows;
  }

  /** How many rows a statement changed. */
  async count({ name, text }: Statement, values: readonly unknown[] = []): Promise<number> {
    return (await repeatRolledBack(() => this.pool.query({ name, text, values: [...values] }))).rowCount ?? 0;
  }

  async row<Row extends QueryResultRow>(named: Statement, values: readonly unknown[] = []): Promise<Row | null> {
    const [first] = await this.rows<Row>(named, values);
    return first ?? null;
  }

  /**
   * Commits when `work` resolves, rolls back when it rejects. A connection that broke is thrown away. `work` may run
   * several times, and has no effect but in the transaction.
   */
  async transaction<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    return repeatRolledBack(() => this.attempt(work));
  }

  private async attempt<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('begin');
      const result = await work(client);
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((cause: Error) => (broken = cause));
      throw error;
    } finally {
      client.release(broken);
    }
  }
}

/** A `bytea` inside JSON that `json_to_recordset` reads. */
export const hex = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`;

/** An instant as every document shows it (RFC 3339, UTC, milliseconds); the argument is an SQL expression. */
export const instantSql = (expression: string): string =>
  `to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
