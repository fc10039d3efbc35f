import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib';
import type { CreatedApiClient, CreatedWebhookEndpoint, KeyPair, Rule, TokenProvider } from '#lib/contracts';
import { routes } from '#lib/contracts';
import { Client } from 'pg';
import { AssentClient } from './support/assent-client.js';
import { findCanaries } from './support/canary-scan.js';
import { createCertificateAuthority } from './support/certificates.js';
import { prepareComposition, serviceNames, type Composition } from './support/composition.js';
import { describeWithBroker } from './support/needs.js';
import { startScriptedProvider, type ScriptedProvider } from './support/scripted-provider.js';
import { startWebhookSink, type WebhookSink } from './support/webhook-sink.js';

/**
 * A whole life of a request under the least rights that the services can have. Secrets are planted wherever one goes in,
 * and looked for wherever anything comes out: logs, metrics, answers, deliveries, every message on the broker, and every
 * row of the database; plain, in base64, base64url, hex, URL and JSON spelling (I25).
 */

const canary = (name: string): string => `canary-${name}-${randomBytes(12).toString('hex')}`;
const masterKey = randomBytes(32);
const planted = {
  clientSecret: canary('client-secret'),
  hint: `${canary('hint')}@example.com`,
  attribute: canary('attribute'),
  userCode: canary('user-code'),
  accessToken: canary('access-token'),
  refreshToken: canary('refresh-token'),
  authReqId: canary('auth-req-id'),
  masterKey: masterKey.toString('base64'),
  masterKeyInHex: masterKey.toString('hex'),
  password: canary('pkcs12-password'),
};
const told = canary('told-to-everybody');
/** The caller, the phone and the administrator read it; nobody else. */
const bindingMessage = canary('binding').slice(0, 40);

let composition: Composition;
let provider: ScriptedProvider;
let sink: WebhookSink;
let admin: AssentClient;
let shop: AssentClient;
let broker: ChannelModel;
const messages: string[] = [];
const secrets = new Map<string, string>(Object.entries(planted));
const outputs = new Map<string, string>();

describeWithBroker('a life of a request under the least rights', () => {
  beforeAll(async () => {
    composition = await prepareComposition('distributed', {
      env: { LOG_LEVEL: 'debug', ASSENT_MASTER_KEYS: `k1:${planted.masterKey}` },
    });
    provider = await startScriptedProvider({
      intervalSeconds: 1,
      metadata: {
        backchannel_user_code_parameter_supported: true,
        backchannel_token_delivery_modes_supported: ['poll', 'ping'],
      },
    });
    sink = await startWebhookSink();
    await composition.start();
    broker = await connect(composition.amqpUrl!);
    await listen();
    admin = new AssentClient(composition.url, composition.apiKey);
    secrets.set('bootstrap key', composition.apiKey);
    await live();
    await collect();
  }, 360_000);
  afterAll(async () => {
    await broker?.close();
    await composition?.stop();
    await provider?.stop();
    await sink?.stop();
  }, 120_000);

  it.each(['logs', 'metrics', 'answers', 'deliveries', 'messages', 'database'])('tells no secret in: %s', (place) => {
    const output = outputs.get(place)!;
    // What may be told is found, so that what is hidden would be.
    expect({ place, told: output.includes(landmarks[place]!) }).toEqual({ place, told: true });
    expect({ place, found: findCanaries(output, secrets) }).toEqual({ place, found: [] });
    const binding = new Map([['binding message', bindingMessage]]);
    const shown = ['answers', 'database'].includes(place);
    expect({ place, shown: findCanaries(output, binding).length > 0 }).toEqual({ place, shown });
  });

  it('was told every secret', () => {
    expect(secrets.size).toBeGreaterThanOrEqual(18);
    for (const [name, secret] of secrets) expect({ name, long: secret.length >= 20 }).toEqual({ name, long: true });
  });

  it('met no refusal by the database or the broker', () => {
    expect(outputs.get('logs')).not.toMatch(/permission denied|ACCESS_REFUSED|must be owner/i);
  });

  it.each(serviceNames)('is refused by the broker what is not its own: %s', async (service) => {
    const { amqpUrl } = composition.access(service);
    expect(new URL(amqpUrl!).username).not.toBe(new URL(composition.amqpUrl!).username);
    const model = await connect(amqpUrl!);
    model.on('error', () => undefined);
    const refused = async (what: string, call: (channel: ConfirmChannel) => Promise<unknown>) => {
      const channel = await model.createConfirmChannel();
      const closed = new Promise<Error>((resolve) => channel.once('error', resolve));
      const outcome = await Promise.race([
        closed,
        call(channel).then(
          () => null,
          (error: Error) => error,
        ),
      ]);
      expect({ service, what, code: (outcome as { code?: number } | null)?.code }).toEqual({
        service,
        what,
        code: 403,
      });
    };
    const foreign =
      service === 'ciba-worker' ? 'decision-service.authorization.denied' : 'ciba-worker.authorization.requested';
    await refused('consume', (channel) => channel.consume(foreign, () => undefined));
    await refused('purge', (channel) => channel.purgeQueue(foreign));
    await refused('delete', (channel) => channel.deleteQueue(foreign));
    await refused('declare', (channel) => channel.assertQueue('anything'));
    await refused('bind', (channel) => channel.bindQueue(foreign, 'assent.decisions', '#'));
    await refused('exchange', (channel) => channel.assertExchange('anything', 'topic'));
    if (service === 'poller') {
      await refused('send', async (channel) => {
        channel.sendToQueue(foreign, Buffer.from('{}'));
        await channel.waitForConfirms();
      });
    }
    await model.close();
  });
});

/** What each place does tell. */
const landmarks: Record<string, string> = {
  logs: '"level"',
  metrics: 'assent_',
  answers: told,
  deliveries: told,
  messages: told,
  database: told,
};

/** Everything that goes over the exchanges, until the end. */
async function listen(): Promise<void> {
  const channel = await broker.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  for (const exchange of ['assent.authorizations', 'assent.decisions']) await channel.bindQueue(queue, exchange, '#');
  const keep = (message: { content: Buffer; properties: object } | null) => {
    if (message) messages.push(JSON.stringify(message.properties), message.content.toString());
  };
  await channel.consume(queue, keep, { noAck: true });
}

async function live(): Promise<void> {
  const endpoint = await admin.create<CreatedWebhookEndpoint>('webhook-endpoints', { url: `${sink.url}/webhook` });
  secrets.set('webhook secret', endpoint.secret);
  const rotated = await admin.call<CreatedWebhookEndpoint>('POST', `/v1/webhook-endpoints/${endpoint.id}/rotate`);
  secrets.set('new webhook secret', rotated.body.secret);
  const client = await admin.create<CreatedApiClient>('api-clients', {
    name: 'Shop',
    scopes: ['requests:write', 'requests:read'],
    callbackSecret: true,
  });
  secrets.set('API key', client.key).set('callback secret', client.callbackSecret!);
  shop = new AssentClient(composition.url, client.key);

  const authority = await createCertificateAuthority('Canary CA');
  const own = await authority.issue({ commonName: 'canary', names: [{ type: 'dns', value: 'canary.example' }] });
  // One whole line of the key's text, which no other key has.
  secrets.set('private key', own.privateKeyPem.split('\n')[2]!);
  const pem = { certificate: own.certificatePem, privateKey: own.privateKeyPem };
  await admin.create<KeyPair & { id: string }>('key-pairs', { alias: 'canary', pem });
  const pkcs12 = { alias: 'refused', pkcs12: 'AAAA', password: planted.password };
  expect((await admin.call('POST', '/v1/key-pairs', pkcs12)).status).toBe(422);

  const { id: tokenProviderId } = await admin.create<TokenProvider>('token-providers', {
    name: 'Provider',
    issuer: provider.issuer,
  });
  const rule = (over: object) =>
    admin.create<Rule>('rules', {
      type: 'one-time-authorization',
      tokenProviderId,
      clientId: 'canary-client',
      clientCredentials: { type: 'secret', clientSecret: planted.clientSecret },
      loginHintAttribute: 'email',
      releaseAccessToken: true,
      ...over,
    });
  await rule({ name: 'Poll' });
  await rule({ name: 'Ping', deliveryMode: 'ping' });
  provider.on('backchannel', ({ form }) => {
    const token = form.get('client_notification_token');
    if (token !== null) secrets.set('notification token', token);
    return token === null ? { json: { auth_req_id: planted.authReqId, expires_in: 120, interval: 1 } } : null;
  });
  provider.on('token', async () => {
    const id_token = await provider.idToken({ aud: 'canary-client', sub: 'subject-of-alice' });
    secrets.set('ID token', id_token);
    const { accessToken: access_token, refreshToken: refresh_token } = planted;
    return { json: { access_token, refresh_token, id_token, token_type: 'Bearer', expires_in: 300 } };
  });

  const attributes = { email: planted.hint, iban: planted.attribute };
  const callbackUrl = `${sink.url}/callback`;
  const asked = { attributes, bindingMessage, metadata: { order: told }, callbackUrl, userCode: planted.userCode };
  const { body: polled } = await shop.submit({ ...asked, rule: 'Poll' });
  expect((await shop.decided(polled.id)).status).toBe('approved');
  await Promise.all([sink.next('/callback'), sink.next('/webhook')]);
  const { status, body } = await shop.consume(polled.id, { attributes });
  expect([status, body.accessToken?.value]).toEqual([200, planted.accessToken]);

  const called = provider.nextCall('backchannel');
  const { body: pinged } = await shop.submit({ ...asked, rule: 'Ping' });
  await called;
  expect((await shop.cancel(pinged.id)).status).toBe(200);
  await shop.decided(pinged.id);
  // Whatever is refused is written about more than what is taken.
  for (const token of [planted.accessToken, client.key.slice(0, -1)]) {
    const stranger = new AssentClient(composition.url, token);
    expect((await stranger.submit({ ...asked, rule: 'Poll' })).status).toBe(401);
  }
  expect((await shop.submit({ ...asked, rule: 'Poll', surplus: planted.password })).status).toBe(422);
  expect((await shop.submit({ ...asked, rule: planted.password })).status).toBe(422);
}

/** Everything that comes out, place by place. */
async function collect(): Promise<void> {
  const texts = async (urls: readonly string[], key: string) =>
    (
      await Promise.all(
        urls.map(async (url) => (await fetch(url, { headers: { authorization: `Bearer ${key}` } })).text()),
      )
    ).join('\n');
  const readable = routes.filter(({ method, path }) => method === 'GET' && !path.includes('/events'));
  const answers: string[] = [];
  for (const key of [composition.apiKey, shop.apiKey]) {
    const lists = readable.filter(({ path }) => !path.includes('{')).map(({ path }) => `${composition.url}${path}`);
    answers.push(await texts(lists, key));
    for (const { path } of readable.filter(({ path }) => path.includes('{id}') && !path.includes('{deliveryId}'))) {
      const collection = path.slice(0, path.indexOf('/{id}'));
      const listed = await new AssentClient(composition.url, key).call<{ data?: { id: string }[] }>('GET', collection);
      const urls = (listed.body.data ?? []).map(({ id }) => composition.url + path.replace('{id}', id));
      answers.push(await texts(urls, key));
    }
  }
  outputs.set('answers', answers.join('\n'));
  outputs.set(
    'metrics',
    await texts(
      serviceNames.map((name) => `${composition.process(name).url}/metrics`),
      '',
    ),
  );
  outputs.set('logs', serviceNames.map((name) => composition.process(name).output).join('\n'));
  outputs.set('deliveries', sink.received.map((one) => JSON.stringify([one.path, one.headers, one.body])).join('\n'));
  outputs.set('messages', messages.join('\n'));
  outputs.set('database', await dump(composition.databaseUrl));
}

async function dump(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const tables = await client.query<{ name: string }>(
    `select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
  );
  const rows: string[] = [];
  for (const { name } of tables.rows) {
    const { rows: found } = await client.query<{ text: string }>(`select t::text as text from ${name} t`);
    rows.push(name, ...found.map(({ text }) => text));
  }
  await client.end();
  return rows.join('\n');
}
