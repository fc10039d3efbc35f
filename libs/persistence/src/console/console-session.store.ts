import type { ConsoleEntrance, ConsoleRole } from '#lib/contracts';
import { v7 as uuid } from 'uuid';
import type { Acting } from '../audit/acting.js';
import { recordAudit } from '../audit/record-audit.js';
import { ShortCache } from '../short-cache.js';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import type { ConsoleSession, ConsoleSessionStore, NewConsoleSession } from './console.types.js';

/** A session is written to when it was last written to so long ago: not at each call. */
const touchEverySeconds = 30;

/** Sessions of the console in Postgres; of what the cookies hold only hashes are known. */
export class PostgresConsoleSessionStore implements ConsoleSessionStore {
  private readonly cache = new ShortCache<ConsoleSession>({ ttlMs: 1_000, maxEntries: 1_000 });

  constructor(private readonly context: Pick<StoreContext, 'sql'>) {}

  open(session: NewConsoleSession, acting: Acting): Promise<ConsoleSession> {
    const { secretHash, via, role, user, keyHash, idleSeconds, lifeSeconds } = session;
    const values = [uuid(), secretHash, via, role, user.id, user.name, keyHash, idleSeconds, lifeSeconds];
    return this.context.sql.transaction(async (client) => {
      const { rows } = await client.query<SessionRow>(openSession.text, values);
      const opened = toSession(rows[0]!);
      await recordAudit(client, acting, {
        action: 'console-session.opened',
        resource: resourceOf(opened),
        detail: { via, role },
      });
      return opened;
    });
  }

  async find(secretHash: Buffer): Promise<ConsoleSession | null> {
    return this.cache.get(secretHash.toString('hex'), async () => {
      const row = await this.context.sql.row<SessionRow>(findSession, [secretHash]);
      return row && toSession(row);
    });
  }

  async touch({ idleUntil, expiresAt }: ConsoleSession, secretHash: Buffer, idleSeconds: number): Promise<void> {
    const longestMs = Date.now() + (idleSeconds - touchEverySeconds) * 1000;
    if (idleUntil.getTime() > longestMs || idleUntil.getTime() === expiresAt.getTime()) return;
    await this.context.sql.rows(touchSession, [secretHash, idleSeconds, touchEverySeconds]);
  }

  async close(secretHash: Buffer, acting: (session: ConsoleSession) => Acting): Promise<boolean> {
    try {
      return await this.context.sql.transaction(async (client) => {
        const { rows } = await client.query<SessionRow>(closeSession.text, [secretHash]);
        if (rows[0] === undefined) return false;
        const closed = toSession(rows[0]);
        const resource = resourceOf(closed);
        await recordAudit(client, acting(closed), { action: 'console-session.closed', resource });
        return true;
      });
    } finally {
      this.cache.clear();
    }
  }
}

const resourceOf = ({ id, user }: ConsoleSession) => ({ type: 'console-session', id, name: user.name });

interface SessionRow {
  readonly id: string;
  readonly via: ConsoleEntrance;
  readonly role: ConsoleRole;
  readonly user_id: string | null;
  readonly user_name: string;
  readonly key_hash: Buffer | null;
  readonly idle_until: Date;
  readonly expires_at: Date;
}

const toSession = (row: SessionRow): ConsoleSession => ({
  id: row.id,
  via: row.via,
  role: row.role,
  user: { id: row.user_id, name: row.user_name },
  keyHash: row.key_hash,
  idleUntil: row.idle_until,
  expiresAt: row.expires_at,
});

const columns = 'id, via, role, user_id, user_name, key_hash, idle_until, expires_at';

const openSession = statement(
  'open_console_session',
  /* sql */ `
  insert into console_sessions (id, secret_hash, via, role, user_id, user_name, key_hash, idle_until, expires_at)
  select $1::uuid, $2::bytea, $3, $4, $5, $6, $7::bytea, at + least(idle, life), at + life
  from (
    select clock_timestamp() as at, make_interval(secs => $8::integer) as idle, make_interval(secs => $9::integer) as life
  ) as clock
  returning ${columns}`,
);

const findSession = statement(
  'find_console_session',
  /* sql */ `
  select ${columns} from console_sessions where secret_hash = $1::bytea and idle_until > clock_timestamp()`,
);

const touchSession = statement(
  'touch_console_session',
  /* sql */ `
  update console_sessions s set idle_until = least(s.expires_at, clock.longest)
  from (select clock_timestamp() as at, clock_timestamp() + make_interval(secs => $2::integer) as longest) as clock
  where s.secret_hash = $1::bytea and s.idle_until > clock.at
    and s.idle_until < clock.longest - make_interval(secs => $3::integer)`,
);

const closeSession = statement(
  'close_console_session',
  `delete from console_sessions where secret_hash = $1::bytea returning ${columns}`,
);
