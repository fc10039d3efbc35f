import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { AuthorizationRequestDocument, Rule, TokenProvider } from '#lib/contracts';
import { Client } from 'pg';
import { AssentClient, type Answer } from '../support/assent-client.js';
import { prepareComposition, type Composition } from '../support/composition.js';
import { describeWithBroker } from '../support/needs.js';
import { startScriptedProvider, type ScriptedProvider } from '../support/scripted-provider.js';
import { startWebhookSink, type WebhookSink } from '../support/webhook-sink.js';
import { limitMs } from './arrivals.js';

const requests = 60;
const terminations = 100;
const everyMs = 50;

/** Connections of all services are ended by the server, one after the other, while requests are under way. */
describeWithBroker('a storm of ended database connections', () => {
  let composition: Composition;
  let provider: ScriptedProvider;
  let sink: WebhookSink;
  let assent: AssentClient;
  let sql: Client;

  beforeAll(async () => {
    composition = await prepareComposition('distributed');
    [provider, sink] = await Promise.all([startScriptedProvider({ intervalSeconds: 1 }), startWebhookSink()]);
    sql = new Client({ connectionString: composition.databaseUrl });
    await sql.connect();
    await composition.start();
    assent = new AssentClient(composition.url, composition.apiKey);
    const { id } = await assent.create<TokenProvider>('token-providers', { name: 'P', issuer: provider.issuer });
    await assent.create<Rule>('rules', {
      name: 'Pay',
      type: 'one-time-authorization',
      tokenProviderId: id,
      clientId: 'client',
      clientCredentials: { type: 'secret', clientSecret: 'a secret' },
      loginHintAttribute: 'email',
    });
  }, 2 * limitMs);

  afterAll(async () => {
    await sql?.end();
    await composition?.stop();
    await Promise.all([provider?.stop(), sink?.stop()]);
  }, limitMs);

  it(
    'loses no request, doubles none, and invents nothing',
    async () => {
      const ended = storm();
      const submitted = await load();
      expect(await ended).toBe(terminations);
      const documents = await Promise.all(submitted.map(decided));

      expect(documents.map(({ status }) => status)).toEqual(people.map(({ end }) => end));
      expect(await counts()).toEqual({ requests, decisions: requests, events: requests, ends: requests });
      // Each person was asked once, and each decision arrives.
      const asked = provider.requests.map(({ form }) => form.get('login_hint')).sort();
      expect(asked).toEqual(people.map(({ email }) => email).sort());
      await Promise.all(people.map(({ path }) => sink.next(path)));
    },
    3 * limitMs,
  );

  const people = Array.from({ length: requests }, (_, index) => ({
    email: `person${index}@example.com`,
    path: `/person${index}`,
    end: index % 3 === 0 ? ('denied' as const) : ('approved' as const),
  }));

  /** Ends one connection after the other, whosever it is; answers how many it met. */
  async function storm(): Promise<number> {
    let ended = 0;
    while (ended < terminations) {
      const { rowCount } = await sql.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() order by random() limit 1`,
      );
      ended += rowCount ?? 0;
      await pause(everyMs);
    }
    return ended;
  }

  /** Submits a request for each person, all through the storm; each answers as soon as it is asked. */
  async function load(): Promise<string[]> {
    provider.on('token', ({ form }) => {
      const request = provider.requests.find(({ authReqId }) => authReqId === form.get('auth_req_id'));
      const person = people.find(({ email }) => email === request?.form.get('login_hint'));
      if (request?.state === 'pending') provider[person?.end === 'denied' ? 'deny' : 'approve'](request.authReqId);
      return null;
    });
    const submitted: Promise<string>[] = [];
    for (const { email, path } of people) {
      submitted.push(submit(email, `${sink.url}${path}`));
      await pause((terminations * everyMs) / requests);
    }
    return Promise.all(submitted);
  }

  /** As a client does that knows no better: the same again until there is an answer. */
  async function submit(email: string, callbackUrl: string): Promise<string> {
    const body = { rule: 'Pay', attributes: { email }, callbackUrl };
    const answer = await untilAnswered(() => assent.submit(body, { 'idempotency-key': email }));
    return answer.id;
  }

  async function decided(id: string): Promise<AuthorizationRequestDocument> {
    for (;;) {
      const document = await untilAnswered(() => assent.request(id, { prefer: 'wait=10' }));
      if (document.decision !== null) return document;
    }
  }

  async function untilAnswered<Body>(call: () => Promise<Answer<Body>>): Promise<Body> {
    for (;;) {
      const { status, body } = await call();
      if (status < 300) return body;
      // Nothing but that the database is away.
      if (status !== 503) throw new Error(`${status} ${JSON.stringify(body)}`);
      await pause(everyMs);
    }
  }

  async function counts() {
    const { rows } = await sql.query(
      `select (select count(*)::integer from authorization_requests) as requests,
        (select count(*)::integer from decisions) as decisions,
        (select count(*)::integer from outbox where exchange = 'assent.decisions') as events,
        (select count(*)::integer from outbox where event->'data'->>'status' in ('approved', 'denied', 'expired', 'failed')) as ends`,
    );
    return rows[0] as unknown;
  }
});
