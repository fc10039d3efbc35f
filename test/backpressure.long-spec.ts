import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuthorizationRequestDocument, Rule, TokenProvider } from '#lib/contracts';
import { Client } from 'pg';
import { AssentClient } from './support/assent-client.js';
import { prepareComposition, serviceNames, type Composition } from './support/composition.js';
import { describeWithPrivateBroker } from './support/needs.js';
import { startRabbit, type Rabbit } from './support/rabbitmq.js';
import { startScriptedProvider, type ScriptedProvider } from './support/scripted-provider.js';

/** Connections to the database that a service has by default. */
const poolSize = 10;

const ruleOf = (name: string, tokenProviderId: string) => ({
  name,
  type: 'one-time-authorization',
  tokenProviderId,
  clientId: 'client',
  clientCredentials: { type: 'secret', clientSecret: 'a secret' },
  loginHintAttribute: 'email',
});

/** What is full or slow holds up itself alone; it fills no memory, and what waited goes on when there is room. */
describeWithPrivateBroker('backpressure', () => {
  let rabbit: Rabbit;
  let provider: ScriptedProvider;
  let slow: ScriptedProvider;
  let composition: Composition;
  let assent: AssentClient;

  beforeAll(async () => {
    [rabbit, provider, slow] = await Promise.all([
      startRabbit(),
      startScriptedProvider({ intervalSeconds: 1 }),
      startScriptedProvider({ intervalSeconds: 1, expiresInSeconds: 600 }),
    ]);
    composition = await prepareComposition('distributed', { broker: { url: rabbit.url, stop: () => rabbit.stop() } });
    await composition.start();
    assent = new AssentClient(composition.url, composition.apiKey);
    for (const [name, { issuer }] of Object.entries({ Pay: provider, Slow: slow })) {
      const { id } = await assent.create<TokenProvider>('token-providers', { name, issuer });
      await assent.create<Rule>('rules', ruleOf(name, id));
    }
  }, 360_000);
  afterAll(async () => {
    await composition?.stop();
    await Promise.all([provider?.stop(), slow?.stop()]);
  }, 120_000);

  const anotherRule = async (name: string): Promise<string> => {
    const { body } = await assent.call<{ data: { id: string }[] }>('GET', '/v1/token-providers');
    return (await assent.create<Rule>('rules', ruleOf(name, body.data[0]!.id))).id;
  };

  let people = 0;
  const submit = async (count: number, rule = 'Pay'): Promise<string[]> => {
    const one = async (): Promise<string> => {
      const { status, body } = await assent.submit({ rule, attributes: { email: `person${people++}@example.com` } });
      expect(status).toBe(202);
      return body.id;
    };
    return Promise.all(Array.from({ length: count }, one));
  };
  const decided = (ids: readonly string[]): Promise<AuthorizationRequestDocument[]> =>
    Promise.all(ids.map((id) => assent.decided(id)));
  const statusesOf = async (ids: readonly string[]): Promise<string[]> =>
    (await Promise.all(ids.map((id) => assent.request(id)))).map(({ body }) => body.status);
  const approved = (count: number): string[] => Array.from({ length: count }, () => 'approved');

  /** Approves whatever the provider has been asked; resolves once it has been asked that often in all. */
  const approveAll = async (of: ScriptedProvider, count: number): Promise<void> => {
    await until(`${count} requests at the provider`, async () => of.requests.length >= count);
    for (const { state, authReqId } of of.requests) if (state === 'pending') of.approve(authReqId);
  };
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + 120_000;
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error(`There were never ${what}.`);
      await pause(50);
    }
  };
  /** Events that wait in the outbox, as /metrics tells. */
  const waiting = async (): Promise<number> => {
    const text = await (await fetch(`${composition.url}/metrics`)).text();
    return Number(/^assent_outbox_events (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
  };
  /** Messages that are in a queue or in a consumer's hands. */
  const queued = async (queue: string): Promise<number> => {
    const text = await rabbit.ctl(['list_queues', '--quiet', '--no-table-headers', 'name', 'messages']);
    return Number(new RegExp(`^${queue.replaceAll('.', '\\.')}\\s+(\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  };

  const disk = [
    ['set_disk_free_limit', '1000GB'],
    ['set_disk_free_limit', '50MB'],
  ] as const;
  afterEach(async () => {
    composition.process('ciba-worker').thaw();
    await rabbit.ctl(disk[1]);
  }, 120_000);
  const hasRoomAgain = async (allClear: readonly string[]): Promise<void> => {
    await rabbit.ctl(allClear);
    await until('fewer events in the outbox', async () => (await waiting()) === 0);
    for (const name of serviceNames) await composition.process(name).until(({ status }) => status === 'ready');
  };

  describe('a broker with an alarm', () => {
    it('takes nothing while its disk is full: requests are accepted and counted, queues are worked off, and all flows afterwards', async () => {
      const [alarm, allClear] = disk;
      const rules = composition.process('rules-service');
      const asked = provider.requests.length;
      composition.process('ciba-worker').freeze();
      const before = await submit(3);
      const queue = 'ciba-worker.authorization.requested';
      await until('3 messages in the queue', async () => (await queued(queue)) === 3);

      await rabbit.ctl(alarm);
      const meanwhile = await submit(20);
      const { checks } = await rules.until(({ status }) => status === 'degraded');
      const broker = checks.find(({ name }) => name === 'broker');
      expect(broker).toMatchObject({ ok: false, reason: expect.stringMatching('takes no messages.*disk') });
      await until('events in the outbox', async () => (await waiting()) >= 20);
      expect((await fetch(`${composition.url}/health/ready`)).status).toBe(200);

      composition.process('ciba-worker').thaw();
      await until('no messages in the queue', async () => (await queued(queue)) === 0);
      // Those without a message are found by the sweep: the alarm makes them late, and no more.
      await approveAll(provider, asked + 23);
      expect((await decided([...before, ...meanwhile])).map(({ status }) => status)).toEqual(approved(23));

      await hasRoomAgain(allClear);
      expect(provider.requests.length).toBe(asked + 23);
    }, 300_000);
  });

  describe('a provider that takes its time', () => {
    let answer: () => void;
    let answers: Promise<void>;
    beforeEach(() => {
      answers = new Promise((resolve) => (answer = resolve));
    });
    afterEach(() => {
      answer();
      slow.off('backchannel');
      slow.off('token');
    });

    it('keeps no other provider’s start calls waiting', async () => {
      let answered = 0;
      slow.on('backchannel', async () => {
        await answers;
        answered++;
        return { status: 400, json: { error: 'unknown_user_id' } };
      });
      await submit(60, 'Slow');
      await until('start calls at the slow one', async () => slow.calls('backchannel').length >= 5);
      const asked = provider.requests.length;
      const quick = await submit(20);
      await approveAll(provider, asked + 20);
      expect((await decided(quick)).map(({ status }) => status)).toEqual(approved(20));
      // They came later, and were through before the first of the others had its answer.
      expect(answered).toBe(0);
    }, 240_000);

    it('keeps no other provider’s polls waiting', async () => {
      const first = slow.requests.length;
      const held = await submit(30, 'Slow');
      await until('requests at the slow one', async () => slow.requests.length >= first + 30);
      let answered = 0;
      const before = slow.calls('token').length;
      slow.on('token', async () => {
        await answers;
        answered++;
        return { status: 400, json: { error: 'authorization_pending' } };
      });
      await until('polls at the slow one', async () => slow.calls('token').length >= before + 10);
      const asked = provider.requests.length;
      const quick = await submit(20);
      await approveAll(provider, asked + 20);
      expect((await decided(quick)).map(({ status }) => status)).toEqual(approved(20));
      expect(answered).toBe(0);
      expect(await statusesOf(held)).toEqual(held.map(() => 'pending'));

      // And it is polled as before once it is quick again.
      slow.off('token');
      answer();
      await approveAll(slow, first + 30);
      expect((await decided(held)).map(({ status }) => status)).toEqual(approved(30));
    }, 300_000);
  });

  describe('a pool of connections that is used up', () => {
    let look: Client;
    beforeEach(async () => {
      look = new Client({ connectionString: composition.databaseUrl });
      await look.connect();
    });
    afterEach(() => look.end());

    it('holds up the callers of one service, who are told to come back; the other services go on', async () => {
      // As many changes that wait for a lock as the rules service has connections, and some more.
      const rules = await Promise.all(Array.from({ length: 14 }, (_, n) => anotherRule(`Locked ${n}`)));
      const asked = provider.requests.length;
      const ids = await submit(20);
      await until('20 more requests at the provider', async () => provider.requests.length >= asked + 20);
      await look.query('begin');
      await look.query('select from rules where id = any($1::uuid[]) for no key update', [rules]);
      let locked = true;
      const refusals = new Set<number>();
      const callers = rules.map(async (id) => {
        while (locked) {
          const { status, headers } = await assent.call('PATCH', `/v1/rules/${id}`, { enabled: false });
          refusals.add(status);
          if (status === 503) expect(headers.has('retry-after')).toBe(true);
        }
      });
      const blocked = `select count(*)::integer as blocked from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      const usedUp = async (): Promise<boolean> =>
        (await look.query<{ blocked: number }>(blocked)).rows[0]!.blocked === poolSize;
      await until('that many blocked connections', usedUp);

      await approveAll(provider, asked + 20);
      const undecided = `select count(*)::integer as left from authorization_requests r
        left join decisions d on d.id = r.decision_id
        where r.id = any($1::uuid[]) and d.outcome is distinct from 'approved'`;
      await until(
        'approvals and their decisions',
        async () => (await look.query<{ left: number }>(undecided, [ids])).rows[0]!.left === 0,
      );
      // They were through while nobody had let go.
      await until('that many blocked connections', usedUp);

      await until('callers who are told to come back', async () => refusals.has(503));
      await look.query('rollback');
      locked = false;
      await Promise.all(callers);
      expect([...refusals].sort()).toEqual([200, 503]);
      expect((await assent.request(ids[0]!)).body.status).toBe('approved');
    }, 240_000);
  });
});
