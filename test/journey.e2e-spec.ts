import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startSandbox, type Sandbox } from '#app/sandbox';
import type {
  AuthorizationRequestDocument,
  CreatedWebhookEndpoint,
  KeyPair,
  Rule,
  TokenProvider,
} from '#lib/contracts';
import { AssentClient } from './support/assent-client.js';
import { compositionKinds, prepareComposition, type Composition, type CompositionKind } from './support/composition.js';
import { subscribeToDecisions, type DecisionSubscription } from './support/decision-subscription.js';
import { readEventStream } from './support/event-stream.js';
import { freeConsecutivePorts } from './support/rabbitmq-ports.js';
import { SandboxPhone } from './support/sandbox-phone.js';
import { describeWithBroker } from './support/needs.js';
import { cloneWithinThisRealm } from './support/one-realm.js';
import { verifyCallback, verifyReceipt, verifyWebhook } from './support/verification.js';
import { startWebhookSink, type WebhookSink } from './support/webhook-sink.js';

// Long waits are the rule here: for a poll, for a deadline.
jest.setTimeout(60_000);

/**
 * One request's journey, as docs/journey.md tells it, on real parts: built services, Postgres, the token provider, and
 * RabbitMQ where the services are apart. The same promises hold in both compositions.
 */
for (const kind of compositionKinds) {
  const describeWithItsNeeds = kind === 'distributed' ? describeWithBroker : describe;
  describeWithItsNeeds(`the journey, ${kind}`, () => journey(kind));
}

function journey(kind: CompositionKind): void {
  let composition: Composition;
  let sandbox: Sandbox;
  let assent: AssentClient;
  let phone: SandboxPhone;
  let callbacks: WebhookSink;
  let webhooks: WebhookSink;
  let endpoint: CreatedWebhookEndpoint;
  let subscription: DecisionSubscription | null = null;
  let provider: TokenProvider;
  let handlers: { deny: { id: string }; timeout: { id: string }; error: { id: string } };
  const rules: Record<string, Rule> = {};

  beforeAll(async () => {
    cloneWithinThisRealm();
    composition = await prepareComposition(kind);
    const [port, sinks] = [await freeConsecutivePorts(2), await Promise.all([startWebhookSink(), startWebhookSink()])];
    [callbacks, webhooks] = sinks;
    await composition.start();
    sandbox = await startSandbox({ port, assentUrl: composition.url, assentApiKey: null, intervalSeconds: 1 });
    assent = new AssentClient(composition.url, composition.apiKey);
    phone = new SandboxPhone(sandbox.url);
    if (composition.amqpUrl) subscription = await subscribeToDecisions(composition.amqpUrl);
    await defineRules();
  }, 120_000);

  afterAll(async () => {
    await subscription?.stop();
    await composition?.stop();
    await sandbox?.stop();
    await Promise.all([callbacks?.stop(), webhooks?.stop()]);
  }, 60_000);

  /** What an administrator does once, by the API. */
  async function defineRules(): Promise<void> {
    provider = await assent.create<TokenProvider>('token-providers', {
      name: 'Sandbox',
      issuer: sandbox.issuer,
      profile: 'generic',
      trustedCertificates: [sandbox.mtls.caCertificatePem],
    });
    handlers = {
      deny: await assent.create('rejection-handlers', {
        name: 'Payment denied',
        type: 'error-template',
        status: 403,
        contentType: 'application/json',
        template: '{"error":"{{outcome}}","rule":"{{ruleName}}","message":"{{bindingMessage}}"}',
      }),
      timeout: await assent.create('rejection-handlers', { name: 'Try again', type: 'redirect', url: '/try-again' }),
      error: await assent.create('rejection-handlers', {
        name: 'Payment failed',
        type: 'error-template',
        status: 502,
        contentType: 'text/html; charset=utf-8',
        template: '<p>{{info}} ({{reason}})</p>',
      }),
    };
    const keyPair = await assent.create<KeyPair>('key-pairs', {
      alias: 'payments',
      pem: { certificate: sandbox.mtls.clientCertificatePem, privateKey: sandbox.mtls.clientPrivateKeyPem },
    });
    const { clients } = sandbox;
    rules['secret'] = await defineRule('Approve a payment', clients.secretBasic.clientId, {
      type: 'secret',
      clientSecret: clients.secretBasic.clientSecret,
    });
    rules['secret in the body'] = await defineRule('Post', clients.secretPost.clientId, {
      type: 'secret',
      clientSecret: clients.secretPost.clientSecret,
      method: 'client_secret_post',
    });
    rules['mutual TLS'] = await defineRule('Certificate', clients.tlsClientAuth.clientId, {
      type: 'mutual-tls',
      keyPairId: keyPair.id,
    });
    rules['private key JWT'] = await defineRule('Assertion', clients.privateKeyJwt.clientId, {
      type: 'private-key-jwt',
    });
    rules['wrong secret'] = await defineRule('Wrong secret', clients.secretBasic.clientId, {
      type: 'secret',
      clientSecret: 'not the secret',
    });
    endpoint = await assent.create<CreatedWebhookEndpoint>('webhook-endpoints', { url: `${webhooks.url}/webhooks` });
  }

  const defineRule = (name: string, clientId: string, clientCredentials: object): Promise<Rule> =>
    assent.create<Rule>('rules', {
      name,
      type: 'one-time-authorization',
      tokenProviderId: provider.id,
      clientId,
      clientCredentials,
      loginHintAttribute: 'email',
      scopes: ['profile'],
      requestedExpirySeconds: 60,
      bindingMessage: 'Pay {{amount}}',
      timeoutRejectionHandlerId: handlers.timeout.id,
      denyRejectionHandlerId: handlers.deny.id,
      errorRejectionHandlerId: handlers.error.id,
    });

  const payment = (more: object = {}) => ({
    rule: 'Approve a payment',
    attributes: { email: 'alice@example.com', amount: '25 EUR' },
    ...more,
  });

  /** Submits, answers on the phone, and waits for the decision. */
  async function submitAnd(
    answer: 'approve' | 'deny',
    body: { attributes: { email: string } } & object,
  ): Promise<AuthorizationRequestDocument> {
    const { body: accepted, status } = await assent.submit(body);
    expect(status).toBe(202);
    await phone.answerNext(body.attributes.email, answer);
    return assent.decided(accepted.id);
  }

  it('delivers one approval by every channel, and it is used once', async () => {
    const body = payment({ callbackUrl: `${callbacks.url}/callback`, metadata: { order: '4711' } });
    const { body: accepted, status, headers } = await assent.submit(body);
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/v1/authorization-requests/${accepted.id}`);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(accepted).toMatchObject({
      reason: null,
      rule: { name: 'Approve a payment', version: 1 },
      bindingMessage: 'Pay 25 EUR',
      decision: null,
      consumedAt: null,
      metadata: { order: '4711' },
    });
    const stream = readEventStream(`${assent.url}${accepted.links.events}`, {
      authorization: `Bearer ${assent.apiKey}`,
    });

    const prompt = await phone.answerNext('alice@example.com', 'approve');
    expect(prompt).toMatchObject({ bindingMessage: 'Pay 25 EUR', clientId: sandbox.clients.secretBasic.clientId });
    expect(prompt.scope.split(' ').sort()).toEqual(['openid', 'profile']);

    const request = await assent.decided(accepted.id);
    const decision = request.decision!;
    expect(request).toMatchObject({ status: 'approved', reason: null });
    expect(decision).toMatchObject({
      authorizationRequestId: accepted.id,
      outcome: 'approved',
      rejection: null,
      evidence: { issuer: sandbox.issuer, subject: 'alice' },
      requestHash: accepted.requestHash,
      metadata: { order: '4711' },
    });

    // The receipt: anyone can verify it with the published keys.
    const claims = await verifyReceipt(composition.url, decision.receipt!);
    expect(claims).toMatchObject({
      iss: composition.url,
      jti: decision.id,
      authorization_request_id: accepted.id,
      request_hash: accepted.requestHash,
      outcome: 'approved',
      sub: 'alice',
    });

    // Callback and webhook: the same document, each signed in its own way, under one id.
    const callback = await callbacks.next();
    const webhook = await webhooks.next();
    expect(callback.body).toBe(webhook.body);
    expect(JSON.parse(callback.body)).toEqual({
      type: 'decision.approved',
      timestamp: decision.decidedAt,
      data: decision,
    });
    expect(callback.headers['webhook-id']).toBe(webhook.headers['webhook-id']);
    await verifyCallback(composition.url, callback);
    verifyWebhook(endpoint.secret, webhook);

    // AMQP: the same document again.
    if (subscription) {
      const event = await subscription.next();
      expect(event).toMatchObject({ specversion: '1.0', type: 'assent.decision.approved.v1', subject: accepted.id });
      expect(event.data).toEqual(decision);
    }

    // The stream told each status and ended with the decision.
    const told = await stream;
    expect(told.map((event) => event.event)).toEqual(expect.arrayContaining(['pending', 'approved']));
    expect((JSON.parse(told.at(-1)!.data) as AuthorizationRequestDocument).decision).toEqual(decision);

    const types = (await assent.timeline(accepted.id)).body.data.map((entry) => entry.type);
    expect(types).toEqual(expect.arrayContaining(['requested', 'initiated', 'approved', 'decided']));

    // Used once, and only for what was approved.
    const other = await assent.consume(accepted.id, { attributes: { email: 'alice@example.com', amount: '2500 EUR' } });
    expect(other).toMatchObject({ status: 409, body: { code: 'request_mismatch' } });
    const used = await assent.consume(accepted.id, { attributes: { amount: '25 EUR', email: 'alice@example.com' } });
    expect(used).toMatchObject({ status: 200, body: { decision, accessToken: null } });
    expect(await assent.consume(accepted.id)).toMatchObject({ status: 409, body: { code: 'already_consumed' } });
    expect((await assent.request(accepted.id)).body.consumedAt).toBe(used.body.consumedAt);
  });

  it("answers a waiting call with the approval, and a denial with the rule's rejection response", async () => {
    const waiting = assent.submit(payment(), { prefer: 'wait=30' });
    await phone.answerNext('alice@example.com', 'approve');
    const { status, headers, body } = await waiting;
    expect(status).toBe(201);
    expect(headers.get('preference-applied')).toBe('wait=30');
    expect(body).toMatchObject({ status: 'approved', decision: { outcome: 'approved' } });

    const denied = await submitAnd('deny', payment({ bindingMessage: 'Pay "a lot" <b>' }));
    expect(denied).toMatchObject({ status: 'denied', reason: null });
    expect(denied.decision).toMatchObject({ outcome: 'denied', evidence: null, receipt: null });
    const { handler, response } = denied.decision!.rejection!;
    expect(handler.name).toBe('Payment denied');
    expect(response).toMatchObject({ status: 403, headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(response.body!)).toEqual({
      error: 'denied',
      rule: 'Approve a payment',
      message: denied.bindingMessage,
    });
    expect(await assent.consume(denied.id)).toMatchObject({ status: 409, body: { code: 'not_approved' } });
  });

  it('ends in expired when nobody answers, with the timeout handler', async () => {
    const rule = rules['secret']!;
    const shorter = await assent.call<Rule>('PATCH', `/v1/rules/${rule.id}`, { requestedExpirySeconds: 3 });
    expect(shorter).toMatchObject({ status: 200, body: { version: 2 } });
    const { body } = await assent.submit(payment());
    const ended = await assent.decided(body.id);
    expect(ended).toMatchObject({
      status: 'expired',
      rule: { version: 2 },
      decision: { outcome: 'expired', rejection: { handler: { name: 'Try again' } } },
    });
    expect(ended.decision!.rejection!.response).toEqual({ status: 302, headers: { location: '/try-again' } });
    await assent.call('PATCH', `/v1/rules/${rule.id}`, { requestedExpirySeconds: 60 });
  });

  it('fails with its reason and the error handler when the provider does not know the person or the client', async () => {
    const unknown = await assent.submit(payment({ attributes: { email: 'nobody@example.com', amount: '1 EUR' } }));
    expect(await assent.decided(unknown.body.id)).toMatchObject({
      status: 'failed',
      reason: 'unknown_user',
      providerError: { code: 'unknown_user_id' },
      decision: { rejection: { handler: { name: 'Payment failed' }, response: { status: 502 } } },
    });
    const refused = await assent.submit(payment({ rule: 'Wrong secret' }));
    expect(await assent.decided(refused.body.id)).toMatchObject({ status: 'failed', reason: 'configuration_error' });
  });

  it('is withdrawn by its caller; what the person then says decides nothing', async () => {
    const { body } = await assent.submit(payment({ attributes: { email: 'bob@example.com', amount: '9 EUR' } }));
    const prompt = await phone.next('bob@example.com');
    expect(await assent.cancel(body.id)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(await assent.cancel(body.id)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    await phone.answer(prompt.id, 'approve');
    expect(await assent.decided(body.id)).toMatchObject({
      status: 'cancelled',
      decision: { outcome: 'cancelled', rejection: null, receipt: null },
    });
    expect(await assent.consume(body.id)).toMatchObject({ status: 409, body: { code: 'not_approved' } });
  });

  it.each(['secret in the body', 'mutual TLS', 'private key JWT'])(
    'is approved with the credentials: %s',
    async (name) => {
      const request = await submitAnd('approve', payment({ rule: rules[name]!.id }));
      expect(request).toMatchObject({ status: 'approved', rule: { name: rules[name]!.name } });
    },
  );

  it('gives one request for one Idempotency-Key, however often it is sent', async () => {
    const key = { 'idempotency-key': `order-${kind}-1` };
    const body = payment({ attributes: { email: 'bob@example.com', amount: '7 EUR' } });
    const answers = await Promise.all(Array.from({ length: 8 }, () => assent.submit(body, key)));
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 202));
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers.get('idempotent-replayed') === 'true')).toHaveLength(7);
    expect(await assent.submit(payment(), key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
    const id = answers[0]!.body.id;
    await phone.answerNext('bob@example.com', 'deny');
    await assent.decided(id);
    expect(await phone.waiting('bob@example.com')).toEqual([]);
  });

  it('shows secrets to nobody', async () => {
    const { body } = await assent.call<Rule>('GET', `/v1/rules/${rules['secret']!.id}`);
    expect(JSON.stringify(body)).not.toContain(sandbox.clients.secretBasic.clientSecret);
    expect(body.clientCredentials).toMatchObject({ type: 'secret', clientSecretSetAt: expect.any(String) });
  });
}
