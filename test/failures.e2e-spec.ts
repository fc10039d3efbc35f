import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair } from 'jose';
import type { AuthorizationRequestDocument, Rule, TokenProvider } from '#lib/contracts';
import { AssentClient } from './support/assent-client.js';
import { prepareComposition, serviceNames, type Composition } from './support/composition.js';
import { describeWithPrivateBroker } from './support/needs.js';
import { startPostgres, type TestPostgres } from './support/postgres.js';
import { startRabbit, type Rabbit } from './support/rabbitmq.js';
import {
  startScriptedProvider,
  type Endpoint,
  type ScriptedProvider,
  type ScriptedReply,
  type ScriptedRequest,
} from './support/scripted-provider.js';

/**
 * Four processes, a broker and a database that are killed while requests are under way, and a provider that is slow,
 * wrong or gone. Nothing is lost, nothing is stuck, nothing is approved without evidence.
 */
describeWithPrivateBroker('failures', () => {
  let postgres: TestPostgres;
  let rabbit: Rabbit;
  let provider: ScriptedProvider;
  let composition: Composition;
  let assent: AssentClient;

  beforeAll(async () => {
    [postgres, rabbit, provider] = await Promise.all([
      startPostgres(),
      startRabbit(),
      startScriptedProvider({ intervalSeconds: 1 }),
    ]);
    const database = await postgres.freshDatabase();
    composition = await prepareComposition('distributed', {
      database,
      broker: { url: rabbit.url, stop: async () => undefined },
    });
    await composition.start();
    assent = new AssentClient(composition.url, composition.apiKey);
    const created = await assent.create<TokenProvider>('token-providers', { name: 'P', issuer: provider.issuer });
    await assent.create<Rule>('rules', rule('Pay', created.id));
    await assent.create<Rule>('rules', { ...rule('Ask again', created.id), onInitiationUnknown: 'ask-again' });
  }, 180_000);

  afterAll(async () => {
    await composition?.stop();
    await Promise.all([provider?.stop(), rabbit?.stop(), postgres?.stop()]);
  }, 60_000);

  const rule = (name: string, tokenProviderId: string) => ({
    name,
    type: 'one-time-authorization',
    tokenProviderId,
    clientId: 'client',
    clientCredentials: { type: 'secret', clientSecret: 'a secret' },
    loginHintAttribute: 'email',
  });

  /** Each request has a person of its own, by whom it is known at the provider. */
  let people = 0;
  const submit = async (more: object = {}): Promise<Submitted> => {
    const person = `person${people++}@example.com`;
    const answer = await assent.submit({ rule: 'Pay', attributes: { email: person }, ...more });
    expect(answer.status).toBe(202);
    return { id: answer.body.id, person };
  };

  /** What the provider made of a request, once Assent has recorded its answer: before that, a kill may lose it. */
  const pending = async ({ id, person }: Submitted): Promise<ScriptedRequest> => {
    const deadline = Date.now() + 90_000;
    while ((await assent.request(id)).body.status !== 'pending') {
      if (Date.now() > deadline) throw new Error('The request is not pending at the provider.');
      await pause(20);
    }
    return provider.requests.findLast(({ form }) => form.get('login_hint') === person)!;
  };

  /** Answers the next call of an endpoint in this way, and the later ones as usual. */
  const answerNext = (endpoint: Endpoint, reply: ScriptedReply): void =>
    provider.on(endpoint, () => {
      provider.off(endpoint);
      return reply;
    });

  describe('a service killed with a request under way', () => {
    it.each(serviceNames)(
      '%s: the request ends all the same',
      async (name) => {
        const before = await submit();
        const { authReqId } = await pending(before);
        await composition.process(name).kill9();
        // What is submitted meanwhile waits in the database.
        const later = name === 'rules-service' ? null : await submit();
        provider.approve(authReqId);
        await composition.process(name).start();
        expect(await assent.decided(before.id)).toMatchObject({ status: 'approved' });
        if (later) {
          provider.approve((await pending(later)).authReqId);
          expect(await assent.decided(later.id)).toMatchObject({ status: 'approved' });
        }
        expect(await assent.consume(before.id)).toMatchObject({ status: 200 });
      },
      120_000,
    );
  });

  describe('the broker', () => {
    it('is killed and comes back: requests are accepted meanwhile, and flow afterwards', async () => {
      const before = await submit();
      const first = await pending(before);
      await rabbit.kill9();
      const meanwhile = await submit();
      provider.approve(first.authReqId);
      await rabbit.restart();
      expect(await assent.decided(before.id)).toMatchObject({ status: 'approved' });
      provider.deny((await pending(meanwhile)).authReqId);
      expect(await assent.decided(meanwhile.id)).toMatchObject({ status: 'denied' });
    }, 180_000);

    it('loses everything that it ever stored: no request is lost with it', async () => {
      const before = await submit();
      const first = await pending(before);
      await rabbit.wipe();
      provider.approve(first.authReqId);
      expect(await assent.decided(before.id)).toMatchObject({ status: 'approved' });
      const after = await submit();
      provider.approve((await pending(after)).authReqId);
      expect(await assent.decided(after.id)).toMatchObject({ status: 'approved' });
    }, 180_000);

    it('is away when the services start: they accept requests, and say that events wait', async () => {
      await rabbit.kill9();
      for (const name of serviceNames) await composition.process(name).restart();
      const readiness = await (await fetch(`${composition.url}/health/ready`)).json();
      expect(readiness).toMatchObject({ status: 'degraded' });
      const accepted = await submit();
      await rabbit.restart();
      provider.approve((await pending(accepted)).authReqId);
      expect(await assent.decided(accepted.id)).toMatchObject({ status: 'approved' });
    }, 180_000);
  });

  describe('the database', () => {
    it('is killed: nothing is accepted, and everything goes on without a restart', async () => {
      const before = await submit();
      const { authReqId } = await pending(before);
      await postgres.kill9();
      const refused = await assent.submit({ rule: 'Pay', attributes: { email: 'bob@example.com' } });
      expect(refused).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
      expect(refused.headers.get('retry-after')).not.toBeNull();
      provider.approve(authReqId);
      await postgres.restart();
      await composition.process('rules-service').untilReady();
      expect(await assent.decided(before.id)).toMatchObject({ status: 'approved' });
      const page = await assent.call<{ data: AuthorizationRequestDocument[] }>(
        'GET',
        '/v1/authorization-requests?limit=1',
      );
      expect(page.body.data[0]!.id).toBe(before.id);
    }, 120_000);
  });

  describe('the provider', () => {
    it.each([
      ['answers 500', { status: 500, body: 'oops' }, 'provider_error'],
      ['answers nonsense', { status: 200, body: '<html>' }, 'provider_error'],
      ['answers without an id', { status: 200, body: '{"expires_in":60}' }, 'provider_error'],
      ['refuses the client', { status: 401, body: '{"error":"invalid_client"}' }, 'configuration_error'],
      ['does not know the person', { status: 400, body: '{"error":"unknown_user_id"}' }, 'unknown_user'],
      ['refuses the request', { status: 400, body: '{"error":"invalid_scope"}' }, 'provider_rejected'],
      ['is cut off by a gateway', { status: 504, body: '' }, 'initiation_unknown'],
    ])('%s: failed with its reason and the error response', async (_what, reply, reason) => {
      answerNext('backchannel', reply);
      const { id } = await submit();
      const request = await assent.decided(id);
      expect(request).toMatchObject({ status: 'failed', reason, decision: { outcome: 'failed', reason } });
      expect(request.decision!.rejection!.response.status).toBe(403);
    });

    it('loses the answer to the start call: asked once more only where the rule says so', async () => {
      answerNext('backchannel', { reset: true });
      expect(await assent.decided((await submit()).id)).toMatchObject({
        status: 'failed',
        reason: 'initiation_unknown',
      });
      answerNext('backchannel', { reset: true });
      const again = await submit({ rule: 'Ask again' });
      provider.approve((await pending(again)).authReqId);
      expect(await assent.decided(again.id)).toMatchObject({ status: 'approved' });
    }, 60_000);

    it('loses the answer that carried the tokens: failed, never approved, never denied', async () => {
      const submitted = await submit();
      const request = await pending(submitted);
      // The provider gives the grant away, and its answer is lost on the way.
      request.state = 'redeemed';
      answerNext('token', { reset: true });
      expect(await assent.decided(submitted.id)).toMatchObject({ status: 'failed', reason: 'outcome_unknown' });
    }, 60_000);

    it.each([
      ['unsigned', async () => unsigned(await provider.idToken())],
      [
        'signed by somebody else',
        async () => provider.idToken({}, { key: (await generateKeyPair('ES256')).privateKey }),
      ],
      ['for another client', () => provider.idToken({ aud: 'another' })],
      ['of another issuer', () => provider.idToken({ iss: 'https://elsewhere.example' })],
      ['missing', async () => undefined],
    ])(
      'sends an ID token that is %s: never approved',
      async (_what, idToken) => {
        const submitted = await submit();
        await pending(submitted);
        answerNext('token', { json: { access_token: 'a', token_type: 'Bearer', id_token: await idToken() } });
        expect(await assent.decided(submitted.id)).toMatchObject({ status: 'failed', reason: 'invalid_evidence' });
      },
      60_000,
    );

    it('is gone: failed once the attempts are used up, and nobody was asked', async () => {
      const gone = await assent.create<TokenProvider>('token-providers', {
        name: 'Gone',
        issuer: 'http://127.0.0.1:9',
      });
      await assent.create<Rule>('rules', rule('Gone', gone.id));
      const { id } = await submit({ rule: 'Gone' });
      expect(await assent.decided(id)).toMatchObject({ status: 'failed', reason: 'provider_error' });
    }, 90_000);
  });
});

interface Submitted {
  readonly id: string;
  readonly person: string;
}

/** The same claims under `alg: none`, without a signature. */
const unsigned = (token: string): string =>
  `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]!}.`;
