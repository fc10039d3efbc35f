import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair } from 'jose';
import type { AuthorizationRequestDocument, TokenProvider } from '#lib/contracts';
import type { AssentClient } from './support/assent-client.js';
import { BreakableHouse } from './support/breakable-house.js';
import { serviceNames, type Composition } from './support/composition.js';
import { describeWithPrivateBroker } from './support/needs.js';
import type { Endpoint, ScriptedProvider, ScriptedReply } from './support/scripted-provider.js';

/**
 * Four processes and a database that are killed while requests are under way, and a provider that is slow, wrong or gone.
 * Nothing is lost, nothing is stuck, nothing is approved without evidence. Of the broker: `broker-failures.long-spec.ts`.
 */
describeWithPrivateBroker('failures', () => {
  let house: BreakableHouse;
  let provider: ScriptedProvider;
  let composition: Composition;
  let assent: AssentClient;

  beforeAll(async () => {
    house = await BreakableHouse.open();
    ({ provider, composition, assent } = house);
    await house.addRule('Ask again', house.tokenProviderId, { onInitiationUnknown: 'ask-again' });
  }, 180_000);

  afterAll(() => house?.close(), 60_000);

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
        const before = await house.submit();
        const { authReqId } = await house.pending(before);
        await composition.process(name).kill9();
        // What is submitted meanwhile waits in the database.
        const later = name === 'rules-service' ? null : await house.submit();
        provider.approve(authReqId);
        await composition.process(name).start();
        expect(await assent.decided(before.id)).toMatchObject({ status: 'approved' });
        if (later) {
          provider.approve((await house.pending(later)).authReqId);
          expect(await assent.decided(later.id)).toMatchObject({ status: 'approved' });
        }
        expect(await assent.consume(before.id)).toMatchObject({ status: 200 });
      },
      120_000,
    );
  });

  describe('the database', () => {
    it('is killed: nothing is accepted, and everything goes on without a restart', async () => {
      const before = await house.submit();
      const { authReqId } = await house.pending(before);
      await house.postgres.kill9();
      const refused = await assent.submit({ rule: 'Pay', attributes: { email: 'bob@example.com' } });
      expect(refused).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
      expect(refused.headers.get('retry-after')).not.toBeNull();
      provider.approve(authReqId);
      await house.postgres.restart();
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
      const { id } = await house.submit();
      const request = await assent.decided(id);
      expect(request).toMatchObject({ status: 'failed', reason, decision: { outcome: 'failed', reason } });
      expect(request.decision!.rejection!.response.status).toBe(403);
    });

    it('loses the answer to the start call: asked once more only where the rule says so', async () => {
      answerNext('backchannel', { reset: true });
      expect(await assent.decided((await house.submit()).id)).toMatchObject({
        status: 'failed',
        reason: 'initiation_unknown',
      });
      answerNext('backchannel', { reset: true });
      const again = await house.submit('Ask again');
      provider.approve((await house.pending(again)).authReqId);
      expect(await assent.decided(again.id)).toMatchObject({ status: 'approved' });
    }, 60_000);

    it('loses the answer that carried the tokens: failed, never approved, never denied', async () => {
      const submitted = await house.submit();
      const request = await house.pending(submitted);
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
        const submitted = await house.submit();
        await house.pending(submitted);
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
      await house.addRule('Gone', gone.id);
      const { id } = await house.submit('Gone');
      expect(await assent.decided(id)).toMatchObject({ status: 'failed', reason: 'provider_error' });
    }, 90_000);
  });
});

/** The same claims under `alg: none`, without a signature. */
const unsigned = (token: string): string =>
  `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]!}.`;
