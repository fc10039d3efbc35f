import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, type Channel } from 'amqplib';
import { exchanges } from '#lib/contracts';
import type { AssentClient } from './support/assent-client.js';
import { BreakableHouse } from './support/breakable-house.js';
import { serviceNames, type Composition } from './support/composition.js';
import { describeWithPrivateBroker } from './support/needs.js';
import type { Rabbit } from './support/rabbitmq.js';
import type { ScriptedProvider } from './support/scripted-provider.js';

/** A broker that is killed, wiped or away: no request is lost with it. */
describeWithPrivateBroker('the broker', () => {
  let house: BreakableHouse;
  let rabbit: Rabbit;
  let provider: ScriptedProvider;
  let composition: Composition;
  let assent: AssentClient;

  beforeAll(async () => {
    house = await BreakableHouse.open();
    ({ rabbit, provider, composition, assent } = house);
  }, 180_000);

  afterAll(() => house?.close(), 60_000);

  it('is killed and comes back: requests are accepted meanwhile, and flow afterwards', async () => {
    const before = await house.submit();
    const first = await house.pending(before);
    await rabbit.kill9();
    const meanwhile = await house.submit();
    provider.approve(first.authReqId);
    await rabbit.restart();
    expect(await assent.decided(before.id)).toMatchObject({ status: 'approved' });
    provider.deny((await house.pending(meanwhile)).authReqId);
    expect(await assent.decided(meanwhile.id)).toMatchObject({ status: 'denied' });
  }, 180_000);

  it('loses everything that it ever stored: no request is lost with it', async () => {
    const before = await house.submit();
    const first = await house.pending(before);
    await rabbit.wipe();
    provider.approve(first.authReqId);
    expect(await assent.decided(before.id)).toMatchObject({ status: 'approved' });
    const after = await house.submit();
    provider.approve((await house.pending(after)).authReqId);
    expect(await assent.decided(after.id)).toMatchObject({ status: 'approved' });
  }, 180_000);

  it('is away when the services start: they accept requests, and say that events wait', async () => {
    await rabbit.kill9();
    for (const name of serviceNames) await composition.process(name).restart();
    const readiness = await (await fetch(`${composition.url}/health/ready`)).json();
    expect(readiness).toMatchObject({ status: 'degraded' });
    const accepted = await house.submit();
    await rabbit.restart();
    provider.approve((await house.pending(accepted)).authReqId);
    expect(await assent.decided(accepted.id)).toMatchObject({ status: 'approved' });
  }, 180_000);

  it.each([
    ['disk', ['set_disk_free_limit', '1000GB'], ['set_disk_free_limit', '50MB']],
    ['memory', ['set_vm_memory_high_watermark', '0'], ['set_vm_memory_high_watermark', 'absolute', '512MB']],
  ])(
    'takes nothing for want of %s already when the services start: late, and no more',
    async (_, alarm, allClear) => {
      const rules = composition.process('rules-service');
      const asked = provider.requests.length;
      await rabbit.ctl(alarm);
      try {
        await Promise.all(serviceNames.map((name) => composition.process(name).restart()));
        const accepted = await Promise.all(Array.from({ length: 5 }, () => house.submit()));
        await rules.until(({ status }) => status === 'degraded');
        // Stopping is no slower for it either.
        expect(await composition.process('decision-service').stop()).toBe(0);
        await composition.process('decision-service').start();

        await rabbit.ctl(allClear);
        await rules.until(({ status }) => status === 'ready');
        for (const each of accepted) provider.approve((await house.pending(each)).authReqId);
        for (const { id } of accepted) expect(await assent.decided(id)).toMatchObject({ status: 'approved' });
        expect(provider.requests.length).toBe(asked + 5);
      } finally {
        await rabbit.ctl(allClear);
      }
    },
    300_000,
  );

  /** What an administrator of the broker may do by mistake, and takes back by what the services declare again. */
  describe('loses, while requests are under way,', () => {
    const everything = ['.*', '.*', '.*'];
    const vhost = '/';
    const nothing = () => Promise.resolve();

    it.each<readonly [string, () => Promise<void>, () => Promise<void>]>([
      ['all work queues', () => withChannel(deleteQueues), nothing],
      ['both exchanges', () => withChannel(deleteExchanges), nothing],
      ['the bindings of the work queues', () => withChannel(unbindQueues), nothing],
      [
        'its virtual host',
        async () => void (await rabbit.ctl(['delete_vhost', vhost])),
        async () => {
          await rabbit.ctl(['add_vhost', vhost]);
          await rabbit.ctl(['set_permissions', '-p', vhost, 'guest', ...everything]);
        },
      ],
      ['the permission to write', () => permit('.*', '', '.*'), () => permit('.*', '.*', '.*')],
      ['the permission to read', () => permit('.*', '.*', ''), () => permit('.*', '.*', '.*')],
    ])(
      '%s: every request comes to its end all the same',
      async (_, harm, heal) => {
        const before = await house.submit();
        const asked = await house.pending(before);
        await harm();
        const meanwhile = await house.submit();
        provider.approve(asked.authReqId);
        await heal();
        const after = await house.submit();
        expect(await assent.decided(before.id)).toMatchObject({ status: 'approved' });
        for (const submitted of [meanwhile, after]) {
          provider.deny((await house.pending(submitted)).authReqId);
          expect(await assent.decided(submitted.id)).toMatchObject({ status: 'denied' });
        }
        const prompts = provider.requests.filter(({ form }) =>
          [before, meanwhile, after].some(({ person }) => form.get('login_hint') === person),
        );
        expect(prompts).toHaveLength(3);
      },
      300_000,
    );

    async function permit(...permissions: string[]): Promise<void> {
      await rabbit.ctl(['set_permissions', '-p', vhost, 'guest', ...permissions]);
      // What a channel was allowed before is remembered for it: connections are made anew.
      await rabbit.ctl(['close_all_connections', 'permissions have changed']);
    }

    async function withChannel(work: (channel: Channel) => Promise<void>): Promise<void> {
      const connection = await connect(rabbit.url);
      try {
        await work(await connection.createChannel());
      } finally {
        await connection.close();
      }
    }

    async function workQueues(): Promise<string[]> {
      const listed = await rabbit.ctl(['list_queues', '--silent', 'name']);
      return listed.split('\n').filter((name) => /^assent\.[a-z-]+(\.[a-z-]+)*$/.test(name) && !name.endsWith('.dead'));
    }

    async function deleteQueues(channel: Channel): Promise<void> {
      for (const queue of await workQueues()) await channel.deleteQueue(queue);
    }

    async function deleteExchanges(channel: Channel): Promise<void> {
      for (const exchange of Object.values(exchanges)) await channel.deleteExchange(exchange);
    }

    async function unbindQueues(channel: Channel): Promise<void> {
      const listed = await rabbit.ctl(['list_bindings', '--silent', 'source_name', 'destination_name', 'routing_key']);
      for (const line of listed.split('\n')) {
        const [source, queue, key] = line.split('\t');
        if (source?.startsWith('assent.')) await channel.unbindQueue(queue!, source, key!);
      }
    }
  });
});
