import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Rule, TokenProvider } from '#lib/contracts';
import { AssentClient } from './support/assent-client.js';
import { serviceNames, type ServiceName } from './support/composition.js';
import { describeWithBroker } from './support/needs.js';
import { freshDatabase, type FreshDatabase } from './support/postgres.js';
import { sharedRabbit, type BrokerAccess } from './support/rabbitmq.js';
import { freeConsecutivePorts } from './support/rabbitmq-ports.js';
import { RoundRobin } from './support/round-robin.js';
import { startScriptedProvider, type ScriptedProvider } from './support/scripted-provider.js';
import { ServiceProcess } from './support/service-process.js';

/** Two instances of each service are replaced in turn, again and again, while applications ask and use approvals. */
describeWithBroker('a rolling restart', () => {
  let database: FreshDatabase;
  let broker: BrokerAccess;
  let provider: ScriptedProvider;
  let proxy: RoundRobin;
  let assent: AssentClient;
  let instances: Record<ServiceName, ServiceProcess>[];
  let approving: NodeJS.Timeout;

  beforeAll(async () => {
    [database, broker, provider] = await Promise.all([
      freshDatabase(),
      sharedRabbit(),
      startScriptedProvider({ intervalSeconds: 1 }),
    ]);
    const port = await freeConsecutivePorts(9);
    const apiKey = `assent_test_${randomBytes(24).toString('base64url')}`;
    const env = {
      DATABASE_URL: database.url,
      AMQP_URL: broker.url,
      ASSENT_MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      ASSENT_API_KEY: apiKey,
      ASSENT_PUBLIC_URL: `http://127.0.0.1:${port + 8}`,
      ASSENT_ALLOW_LOOPBACK: 'true',
      HOST: '127.0.0.1',
    };
    instances = [0, 1].map(
      (instance) =>
        Object.fromEntries(
          serviceNames.map((name, index) => [name, new ServiceProcess(name, port + instance * 4 + index, env)]),
        ) as Record<ServiceName, ServiceProcess>,
    );
    for (const instance of instances) await Promise.all(Object.values(instance).map((each) => each.start()));
    proxy = await RoundRobin.start(
      instances.map((instance) => instance['rules-service'].url),
      port + 8,
    );
    await proxy.allReady();
    assent = new AssentClient(proxy.url, apiKey);
    const { id } = await assent.create<TokenProvider>('token-providers', { name: 'P', issuer: provider.issuer });
    await assent.create<Rule>('rules', {
      name: 'Pay',
      type: 'one-time-authorization',
      tokenProviderId: id,
      clientId: 'client',
      clientCredentials: { type: 'secret', clientSecret: 'a secret' },
      loginHintAttribute: 'email',
    });
    // Everybody says yes at once, but for those who say nothing.
    approving = setInterval(() => {
      for (const { state, authReqId, form } of provider.requests) {
        if (state === 'pending' && !form.get('login_hint')!.startsWith('silent')) provider.approve(authReqId);
      }
    }, 50);
  }, 360_000);

  afterAll(async () => {
    clearInterval(approving);
    await proxy?.stop();
    await Promise.all((instances ?? []).flatMap((instance) => Object.values(instance)).map((each) => each.stop()));
    await Promise.all([provider?.stop(), broker?.stop(), database?.drop()]);
  }, 120_000);

  let people = 0;
  const submit = (name: string, headers: Record<string, string> = {}) =>
    assent.submit({ rule: 'Pay', attributes: { email: `${name}${people++}@example.com` } }, headers);

  it('shows no error to anybody, and every request ends approved and is used once', async () => {
    let going = true;
    const troubles: unknown[] = [];
    const ids: string[] = [];
    const customer = async (): Promise<void> => {
      while (going) {
        const asked = await submit('alice', { prefer: 'wait=20' });
        if (asked.status !== 201 && asked.status !== 202) {
          troubles.push({ asked: asked.status, body: asked.body });
          return;
        }
        const { id } = asked.body;
        ids.push(id);
        let answer = asked;
        while (answer.status < 300 && answer.body.decision === null)
          answer = await assent.request(id, { prefer: 'wait=20' });
        const used = answer.status < 300 ? await assent.consume(id) : answer;
        if (used.status !== 200) troubles.push({ id, status: used.status, body: used.body, request: answer.body });
      }
    };
    const customers = Array.from({ length: 3 }, () => customer().catch((error: unknown) => void troubles.push(error)));

    const exits: (number | null)[] = [];
    for (let round = 0; round < 2; round++) {
      for (const instance of instances) {
        await proxy.allReady();
        const replace = async (each: ServiceProcess): Promise<void> => {
          exits.push(await each.stop());
          await each.start();
        };
        await Promise.all(Object.values(instance).map(replace));
      }
    }
    await proxy.allReady();
    // Also on a machine on which all of it is over after a few requests.
    const enough = Math.max(ids.length + 6, 21);
    while (ids.length < enough && troubles.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    going = false;
    await Promise.all(customers);

    expect(troubles).toEqual([]);
    expect(exits).toEqual(Array.from({ length: 16 }, () => 0));
    expect(ids.length).toBeGreaterThanOrEqual(21);
    // Nobody was asked twice.
    expect(provider.requests.map(({ form }) => form.get('login_hint')).sort()).toEqual(
      [...new Set(provider.requests.map(({ form }) => form.get('login_hint')))].sort(),
    );
  }, 300_000);

  it('answers calls that wait with the document as it stands, and ends event streams, to be asked again', async () => {
    const [first] = instances;
    const { body: asked } = await submit('silent');
    const direct = new AssentClient(first!['rules-service'].url, assent.apiKey);
    const path = `${direct.url}/v1/authorization-requests/${asked.id}/events`;
    const stream = await fetch(path, { headers: { authorization: `Bearer ${assent.apiKey}` } });
    const events = stream.text();
    const waiting = direct.request(asked.id, { prefer: 'wait=60' });
    // Stored before they hang: a call that has been answered came after them.
    await direct.request(asked.id);
    expect(await first!['rules-service'].stop()).toBe(0);

    const { status, headers, body } = await waiting;
    expect([status, body.decision]).toEqual([200, null]);
    expect(['requested', 'pending']).toContain(body.status);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await events).toMatch(/^retry: \d+\n\n(.|\n)*\n\n$/);
    await first!['rules-service'].start();
    const again = await direct.request(asked.id);
    expect(again.body.id).toBe(asked.id);
  }, 180_000);
});
