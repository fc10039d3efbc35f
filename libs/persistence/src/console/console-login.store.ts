import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import type { ConsoleLoginStore } from './console.types.js';

/** Logins under way, in Postgres: whoever comes back first with one uses it up, on whichever instance. */
export class PostgresConsoleLoginStore implements ConsoleLoginStore {
  constructor(private readonly context: Pick<StoreContext, 'sql'>) {}

  async begin({ secretHash, returnTo, lifeSeconds }: Parameters<ConsoleLoginStore['begin']>[0]): Promise<void> {
    await this.context.sql.rows(beginLogin, [secretHash, returnTo, lifeSeconds]);
  }

  async take(secretHash: Buffer): Promise<{ readonly returnTo: string } | null> {
    const row = await this.context.sql.row<{ return_to: string; in_time: boolean }>(takeLogin, [secretHash]);
    return row === null || !row.in_time ? null : { returnTo: row.return_to };
  }
}

const beginLogin = statement(
  'begin_console_login',
  /* sql */ `
  insert into console_logins (secret_hash, return_to, expires_at)
  values ($1::bytea, $2, clock_timestamp() + make_interval(secs => $3::integer))`,
);

const takeLogin = statement(
  'take_console_login',
  /* sql */ `
  delete from console_logins where secret_hash = $1::bytea
  returning return_to, expires_at > clock_timestamp() as in_time`,
);
