import { Database } from '#lib/persistence';
import type { Pool, PoolClient, QueryResult } from 'pg';

/** A statement as `pg` takes it: text, or text under a name. */
interface NamedQuery {
  readonly name?: string;
  readonly text: string;
}

type Query = (query: string | NamedQuery, ...rest: unknown[]) => unknown;

/** Changes a statement before it is sent, to plant a defect; answers it as it is where it has nothing to change. */
export type Sabotage = (query: NamedQuery) => NamedQuery;

/** What stands at the gate: a statement that has not been sent. */
export interface Waiting {
  readonly statement: string;
  readonly go: () => void;
}

// They read no row, or none that ever changes (a version of a rule), or write one that no party reads (an audit event):
// nothing can come between them and the next statement.
const apart = /^(assent_select_rule_definitions|start transaction|begin|insert into audit_events)\b/i;

// They look for what is older than a run can be. One that finds something after all is an error.
const findingNothing =
  /^(assent_(prune_|forget_|end_abandoned_)|select id from authorization_requests\s+where ended_at is not null and erased_at is null)/i;

/**
 * One process of Assent: a `Database` with its stores and its SQL as they are, on a single connection whose statements
 * wait, one by one, until a test lets them go.
 */
export class GatedProcess {
  waiting: Waiting | null = null;
  /** Called when a statement has come to the gate. */
  onWaiting: () => void = () => undefined;
  #closed = false;
  #pid = 0;

  private constructor(readonly database: Database) {}

  /** The server's process behind the connection. */
  get pid(): number {
    return this.#pid;
  }

  static async open(url: string, masterKeys: string, name: string, sabotage: Sabotage | null): Promise<GatedProcess> {
    const database = await Database.open({ url, masterKeys, source: `/assent/${name}`, poolSize: 1 });
    // The pool of the database is nobody's business but a stepper's.
    const { pool } = (database as unknown as { connection: { pool: Pool } }).connection;
    const process = new GatedProcess(database);
    const known = new WeakSet<PoolClient>();
    pool.on('acquire', (client) => {
      process.#pid = (client as unknown as { processID: number }).processID;
      if (known.has(client)) return;
      known.add(client);
      process.#gate(client, sabotage);
    });
    // What a crash of the server loses is another test's question.
    await pool.query('set synchronous_commit = off');
    // The limits of production would end a wait that a busy machine makes long.
    await pool.query(`set lock_timeout = '60s'`);
    await pool.query(`set statement_timeout = '60s'`);
    return process;
  }

  /** From here on statements wait; until then they pass. */
  close(): void {
    this.#closed = true;
  }

  /** From here on statements pass. */
  open(): void {
    this.#closed = false;
  }

  #gate(client: PoolClient, sabotage: Sabotage | null): void {
    const send = client.query.bind(client) as Query;
    const gated: Query = (query, ...rest) => {
      const asked = typeof query === 'string' ? { text: query } : query;
      const sent = sabotage === null ? query : sabotage(asked);
      const statement = asked.name ?? asked.text.trim();
      if (!this.#closed || apart.test(statement)) return send(sent, ...rest);
      if (findingNothing.test(statement)) return this.#findingNothing(statement, send, sent, rest);
      return this.#turn(statement).then(() => send(sent, ...rest));
    };
    client.query = gated as PoolClient['query'];
  }

  /** A pool hands on a callback, a client answers with a promise. */
  #findingNothing(statement: string, send: Query, sent: string | NamedQuery, rest: unknown[]): unknown {
    const check = (result: { readonly rowCount: number | null }) => {
      if (result.rowCount !== 0) throw new Error(`"${statement}" found rows: it has to wait for its turn.`);
      return result;
    };
    const callback = rest.at(-1);
    if (typeof callback !== 'function') return (send(sent, ...rest) as Promise<QueryResult>).then(check);
    return send(sent, ...rest.slice(0, -1), (error: Error | null, result: QueryResult) => {
      if (error === null) check(result);
      (callback as (...all: unknown[]) => void)(error, result);
    });
  }

  #turn(statement: string): Promise<void> {
    return new Promise((resolve) => {
      this.waiting = {
        statement,
        go: () => {
          this.waiting = null;
          resolve();
        },
      };
      this.onWaiting();
    });
  }
}
