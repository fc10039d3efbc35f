import { generateKeyPairSync } from 'node:crypto';
import { Database, generateMasterKey, type RuleRow, type SigningKey } from '#lib/persistence';
import { Client } from 'pg';
import type { DeliveryMode } from '#lib/domain';
import { aProvider, aRule } from '../support/postgres-builders.js';
import { freshDatabase } from '../support/postgres.js';
import { GatedProcess, type Sabotage } from './gated-process.js';
import type { LockMonitor } from './stepper.js';

/** Defects that a lane is given on purpose. */
export interface Defects {
  readonly sabotage?: Sabotage;
  /** Takes a second wall of the schema away, so that the first one is seen to fail. */
  readonly schema?: string;
}

/**
 * A place where runs take place, one after the other: a database of its own, two or three processes of Assent on it, and
 * a session that only looks. Lanes share a server and nothing else, so they run side by side.
 */
export class Lane implements LockMonitor {
  private constructor(
    private readonly fresh: { readonly url: string; drop(): Promise<void> },
    /** Makes what runs begin with; its statements never wait. */
    readonly preparer: Database,
    readonly processes: readonly GatedProcess[],
    readonly monitor: Client,
    readonly locker: Client,
    readonly rules: Readonly<Record<DeliveryMode, RuleRow>>,
    readonly receiptKey: SigningKey,
  ) {}

  static async open(processes: number, defects: Defects = {}): Promise<Lane> {
    const fresh = await freshDatabase();
    const masterKeys = generateMasterKey();
    const preparer = await Database.open({ url: fresh.url, masterKeys, source: '/assent/preparer', poolSize: 3 });
    const [monitor, locker] = [
      new Client({ connectionString: fresh.url }),
      new Client({ connectionString: fresh.url }),
    ];
    await Promise.all([monitor.connect(), locker.connect()]);
    await monitor.query(observation);
    for (const session of [monitor, locker]) await session.query('set synchronous_commit = off');
    await monitor.query(`update poller_shards set owner = 'elsewhere', lease_until = 'infinity'`);
    if (defects.schema) await monitor.query(defects.schema);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const privateKeyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const receiptKey: SigningKey = { kid: 'receipts', alg: 'ES256', privateKeyPem };
    const tokenProviderId = (await aProvider(preparer)).id;
    const rule = (deliveryMode: DeliveryMode) =>
      aRule(preparer, { tokenProviderId, deliveryMode, releaseAccessToken: true });
    const rules = { poll: await rule('poll'), ping: await rule('ping'), push: await rule('push') };
    const gated: GatedProcess[] = [];
    for (let number = 1; number <= processes; number++) {
      gated.push(await GatedProcess.open(fresh.url, masterKeys, `process-${number}`, defects.sabotage ?? null));
    }
    return new Lane(fresh, preparer, gated, monitor, locker, rules, receiptKey);
  }

  async blocked(pids: readonly number[]): Promise<ReadonlySet<number>> {
    const { rows } = await this.monitor.query<{ pid: number }>({
      name: 'blocked',
      text: 'select pid from unnest($1::integer[]) as asked (pid) where cardinality(pg_blocking_pids(pid)) > 0',
      values: [pids],
    });
    return new Set(rows.map(({ pid }) => pid));
  }

  async close(): Promise<void> {
    await Promise.all([this.monitor.end(), this.locker.end(), this.preparer.close()]);
    await Promise.all(this.processes.map(({ database }) => database.close()));
    await this.fresh.drop();
  }
}

// Writes down each change of a request and each new owner of a shard, in the order in which they took their locks, with
// the clock of the moment. A table of the tests: nothing of Assent reads it.
const observation = /* sql */ `
create table observed (
  position bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  subject text not null,
  kind text not null,
  before json,
  after json not null
);
create index on observed (subject);
create index on outbox ((event->>'subject'));

create function observe_request() returns trigger language plpgsql as $$
begin
  insert into observed (subject, kind, before, after) values (new.id::text, 'request',
    case when tg_op = 'UPDATE' then json_build_object('status', old.status, 'version', old.state_version,
      'consumed', old.consumed_at is not null, 'decision', old.decision_id) end,
    json_build_object('status', new.status, 'version', new.state_version,
      'consumed', new.consumed_at is not null, 'decision', new.decision_id));
  return new;
end $$;
create trigger zz_observe after insert or update on authorization_requests for each row execute function observe_request();

create function observe_shard() returns trigger language plpgsql as $$
begin
  if new.owner is distinct from old.owner then
    insert into observed (subject, kind, before, after) values ('shard ' || new.shard, 'shard',
      json_build_object('owner', old.owner, 'epoch', old.epoch), json_build_object('owner', new.owner, 'epoch', new.epoch));
  end if;
  return new;
end $$;
create trigger zz_observe after update on poller_shards for each row execute function observe_shard();
`;
