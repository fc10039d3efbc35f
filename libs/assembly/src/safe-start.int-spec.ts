import { randomBytes } from 'node:crypto';
import { chown, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Module } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { connect } from 'amqplib';
import { migrate } from '#lib/persistence';
import { parseConfig, silentLog, type Log } from '#lib/runtime';
import { Client } from 'pg';
import { itWithBroker } from '../../../test/support/needs.js';
import { asAdmin, startPostgres, type FreshDatabase, type TestPostgres } from '../../../test/support/postgres.js';
import { sharedRabbit, type BrokerAccess } from '../../../test/support/rabbitmq.js';
import { freeConsecutivePorts } from '../../../test/support/rabbitmq-ports.js';
import { untilReadiness, type Readiness } from '../../../test/support/service-process.js';
import { openProcess } from './process-parts.js';
import { serviceConfig, startAlone, type RunningAlone } from './run-alone.js';

@Controller()
class HeardController {
  @EventPattern<string>('authorization.requested')
  hear(): void {}
}

@Module({ controllers: [HeardController] })
class HeardModule {}

/** A service that is being started, with what its log says. */
class Start {
  readonly lines: string[] = [];
  readonly running: Promise<RunningAlone>;
  readonly url: string;
  private readonly starting = new AbortController();

  constructor(env: Readonly<Record<string, string>>) {
    const write = (message: string, detail?: object) => void this.lines.push(JSON.stringify({ message, ...detail }));
    const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log };
    this.url = `http://127.0.0.1:${env['PORT']}`;
    const service = { name: 'heard', schema: serviceConfig, module: () => ({ module: HeardModule }) };
    this.running = startAlone(service, parseConfig(serviceConfig, env), { signal: this.starting.signal, log });
    this.running.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.starting.abort();
    await this.running.then((running) => running.stop()).catch(() => undefined);
  }

  until(expected: (readiness: Readiness) => boolean): Promise<Readiness> {
    return untilReadiness(this.url, expected);
  }
}

/**
 * I27: a service that could lose or misjudge something does not become ready. It says why, at /health/ready and in its
 * log, and goes on by itself as soon as the cause is mended.
 */
describe('a service', () => {
  let postgres: TestPostgres;
  let database: FreshDatabase;
  let service: Start | null = null;
  beforeAll(async () => {
    postgres = await startPostgres();
    database = await postgres.freshDatabase();
  }, 120_000);
  afterEach(async () => {
    await service?.stop();
    service = null;
  }, 120_000);
  afterAll(async () => {
    await postgres?.stop();
  }, 120_000);

  const masterKeys = `k1:${randomBytes(32).toString('base64')}`;
  const aService = async (env: Record<string, string> = {}): Promise<Start> => {
    service = new Start({
      PORT: String(await freeConsecutivePorts(1)),
      HOST: '127.0.0.1',
      DATABASE_URL: database.url,
      ASSENT_MASTER_KEYS: masterKeys,
      // Nobody there: the broker is no condition of readiness.
      AMQP_URL: 'amqp://127.0.0.1:1',
      ...env,
    });
    return service;
  };
  const sql = async (text: string, url = database.url): Promise<void> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(text).finally(() => client.end());
  };
  const refuses = (check: string) => (readiness: Readiness) =>
    readiness.status === 'not-ready' && readiness.checks.some(({ name, ok }) => name === check && !ok);
  const isReady = ({ status }: Readiness) => status !== 'not-ready';
  const checkOf = ({ checks }: Readiness, name: string) => checks.find((each) => each.name === name)!;

  /** Not ready with this reason, said in the log as well; then, mended, ready by itself. */
  const refusesUntil = async (check: string, reason: RegExp, mend: () => Promise<unknown>): Promise<void> => {
    const running = service!;
    const found = checkOf(await running.until(refuses(check)), check);
    expect(found.reason).toMatch(reason);
    expect(found.whatToDo).toMatch(/^[A-Z].*\.$/);
    expect(running.lines.join()).toContain(JSON.stringify(found.reason).slice(1, -1));
    expect((await fetch(`${running.url}/health/live`)).status).toBe(200);
    const elsewhere = await fetch(`${running.url}/v1/rules`);
    expect(elsewhere.status).toBe(503);
    expect(await elsewhere.json()).toMatchObject({ code: 'starting' });
    await mend();
    await running.until(isReady);
  };

  it.each(['fsync', 'full_page_writes'])(
    'refuses a server with %s off, until it is on',
    async (setting) => {
      const set = async (value: string) => {
        await asAdmin(postgres.url, (admin) => admin.query(`alter system set ${setting} = ${value}`));
        await asAdmin(postgres.url, (admin) => admin.query('select pg_reload_conf()'));
      };
      await set('off');
      await aService();
      await refusesUntil('durability', new RegExp(`^${setting} is off`), () => set('on'));
    },
    120_000,
  );

  it.each([
    ['synchronous_commit', 'off', 'durability'],
    ['default_transaction_isolation', "'repeatable read'", 'server'],
  ])(
    'refuses a database with %s = %s, until that is mended',
    async (setting, value, check) => {
      const name = new URL(database.url).pathname.slice(1);
      await sql(`alter database ${name} set ${setting} = ${value}`);
      await aService();
      await refusesUntil(check, new RegExp(setting), () => sql(`alter database ${name} reset ${setting}`));
    },
    120_000,
  );

  it('refuses a database without migrations, until they have run', async () => {
    await asAdmin(postgres.url, (admin) => admin.query('create database unmigrated'));
    const url = database.url.replace(/\/[^/]*$/, '/unmigrated');
    await aService({ DATABASE_URL: url });
    await refusesUntil('migrations', /migrations are missing \(Initial\d+, /, () => migrate(url));
  }, 120_000);

  it('accepts a schema that later migrations have added to', async () => {
    await sql(
      `insert into migrations (timestamp, name) values (9000000000000, 'Later9000000000000');
       alter table authorization_requests add column later text; create table later (id uuid primary key)`,
    );
    const running = await aService();
    expect(checkOf(await running.until(isReady), 'migrations')).toMatchObject({ ok: true });
  }, 120_000);

  it('refuses a schema that does not carry this version any more', async () => {
    await sql('update schema_floor set level = 9000000000000');
    await aService();
    await refusesUntil('migrations', /^the schema has moved on/, () =>
      sql('update schema_floor set level = 1760000000000'),
    );
  }, 120_000);

  describe('whose clock is wrong', () => {
    const realNow = Date.now;
    /** Shifts the wall clock of this process; the monotonic one goes on undisturbed. */
    const shiftClock = (byMs: number): void => {
      Date.now = () => realNow() + byMs;
    };
    afterEach(() => shiftClock(0));

    it.each([
      [300_000, /^the clock of this machine is (299|300)\.\d s ahead of the database's$/],
      [-300_000, /^the clock of this machine is (299|300)\.\d s behind the database's$/],
      [-3_600_000, /^the clock of this machine is (3599|3600)\.\d s behind the database's$/],
    ])(
      'is refused with %i ms, until it is right',
      async (byMs, reason) => {
        shiftClock(byMs);
        await aService();
        await refusesUntil('clock', reason, async () => shiftClock(0));
      },
      120_000,
    );

    it('by a second is accepted; later by an hour, it is not ready any more', async () => {
      shiftClock(-1_000);
      const running = await aService();
      await running.until(isReady);
      shiftClock(3_600_000);
      expect(checkOf(await running.until(refuses('clock')), 'clock').reason).toMatch(/ahead of the database's$/);
      shiftClock(0);
      await running.until(isReady);
    }, 120_000);
  });

  it('is not ready any more when the server stops to be safe', async () => {
    const running = await aService();
    await running.until(isReady);
    await asAdmin(postgres.url, (admin) => admin.query('alter system set fsync = off'));
    await asAdmin(postgres.url, (admin) => admin.query('select pg_reload_conf()'));
    expect(checkOf(await running.until(refuses('durability')), 'durability').reason).toMatch(/^fsync is off/);
    await asAdmin(postgres.url, (admin) => admin.query('alter system reset fsync'));
    await asAdmin(postgres.url, (admin) => admin.query('select pg_reload_conf()'));
    await running.until(isReady);
  }, 120_000);

  it.each([
    ['another key under a known id', `k1:${randomBytes(32).toString('base64')}`, /^Master key "k1" is not the key/],
    ['no key of those that have sealed', `k7:${randomBytes(32).toString('base64')}`, /^Master key "k1" is needed/],
  ])(
    'refuses %s, and seals nothing with it',
    async (_, wrong, reason) => {
      await (await aService()).until(isReady);
      await service!.stop();
      const refused = await aService({ ASSENT_MASTER_KEYS: wrong });
      const { reason: found } = checkOf(await refused.until(refuses('master-keys')), 'master-keys');
      expect(found).toMatch(reason);
      expect(refused.lines.join()).not.toContain(wrong.slice(3));
      await refused.stop();
      // The right one is as welcome as before.
      await (await aService()).until(isReady);
    },
    120_000,
  );

  it('ends at once with the reason where somebody sits in front of it', async () => {
    await (await aService()).until(isReady);
    await service!.stop();
    const settings = {
      ...{ name: 'standalone', databaseUrl: database.url, masterKeys: `k7:${randomBytes(32).toString('base64')}` },
      ...{ amqpUrl: null, allowLoopback: true, allowedNetworks: [], log: silentLog, waitUntilFit: false },
    };
    await expect(openProcess(settings)).rejects.toThrow('Master key "k1" is needed and not configured');
    await asAdmin(postgres.url, (admin) => admin.query('alter system set fsync = off'));
    await asAdmin(postgres.url, (admin) => admin.query('select pg_reload_conf()'));
    await expect(openProcess({ ...settings, masterKeys })).rejects.toThrow(/fsync is off.*Set fsync = on/);
    await asAdmin(postgres.url, (admin) => admin.query('alter system reset fsync'));
    await asAdmin(postgres.url, (admin) => admin.query('select pg_reload_conf()'));
  }, 120_000);

  it('ends at once when the master key is not set', async () => {
    expect(() => new Start({ DATABASE_URL: database.url, AMQP_URL: 'amqp://127.0.0.1:1' })).toThrow(
      /ASSENT_MASTER_KEYS: is not set/,
    );
  });

  it('ends at once when the master key cannot be read', async () => {
    await expect((await aService({ ASSENT_MASTER_KEYS: 'k1:abc' })).running).rejects.toThrow(
      'Master key "k1" in ASSENT_MASTER_KEYS has',
    );
  });

  it('waits for a database that is away, and says so', async () => {
    await postgres.kill9();
    const running = await aService();
    const found = checkOf(await running.until(refuses('database')), 'database');
    expect(found.reason).toBe('the database does not answer');
    await postgres.restart();
    await running.until(isReady);
  }, 120_000);

  it('refuses a standby, until it is promoted', async () => {
    const signal = join(postgres.data, 'standby.signal');
    await writeFile(signal, '');
    const { uid, gid } = await stat(postgres.data);
    await chown(signal, uid, gid);
    await postgres.restart();
    await aService();
    await refusesUntil('primary', /^the server is a standby$/, () =>
      asAdmin(postgres.url, (admin) => admin.query('select pg_promote(true)')),
    );
  }, 120_000);

  describe('with a broker', () => {
    let broker: BrokerAccess;
    afterAll(() => broker?.stop(), 60_000);

    itWithBroker(
      'refuses a queue that was declared with other arguments, deletes nothing, and goes on when it is gone',
      async () => {
        broker = await sharedRabbit();
        const queue = 'heard.authorization.requested';
        const connection = await connect(broker.url);
        const channel = await connection.createChannel();
        await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
        channel.sendToQueue(queue, Buffer.from('somebody needs this'), { persistent: true });

        const running = await aService({ AMQP_URL: broker.url });
        const found = checkOf(await running.until(refuses('queues')), 'queues');
        expect(found.reason).toMatch(/PRECONDITION.FAILED.*inequivalent arg .*heard\.authorization\.requested/);
        expect(running.lines.join()).toContain('PRECONDITION');
        expect((await channel.checkQueue(queue)).messageCount).toBe(1);

        await channel.deleteQueue(queue);
        await running.until(({ status }) => status === 'ready');
        await connection.close();
      },
      300_000,
    );
  });
});
