import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startSandbox, type Sandbox } from '#app/sandbox';
import type { KeyPair, Rule, TokenProvider } from '#lib/contracts';
import { AssentClient } from './support/assent-client.js';
import { prepareComposition, type Composition } from './support/composition.js';
import { cloneWithinThisRealm } from './support/one-realm.js';
import { freeConsecutivePorts } from './support/rabbitmq-ports.js';
import { SandboxPhone } from './support/sandbox-phone.js';

// Long waits are the rule here: for a poll.
jest.setTimeout(60_000);

/** One rule member turns FAPI-CIBA on: built services against a provider that holds these clients to its FAPI profile. */
describe('a rule with fapi', () => {
  let composition: Composition;
  let sandbox: Sandbox;
  let assent: AssentClient;
  let phone: SandboxPhone;
  let provider: TokenProvider;
  let keyPair: KeyPair;

  beforeAll(async () => {
    cloneWithinThisRealm();
    composition = await prepareComposition('standalone', { env: { LOG_LEVEL: 'info' } });
    await composition.start();
    sandbox = await startSandbox({
      port: await freeConsecutivePorts(2),
      assentUrl: composition.url,
      assentApiKey: null,
      intervalSeconds: 1,
    });
    assent = new AssentClient(composition.url, composition.apiKey);
    phone = new SandboxPhone(sandbox.url);
    provider = await assent.create<TokenProvider>('token-providers', {
      name: 'Sandbox',
      issuer: sandbox.issuer,
      trustedCertificates: [sandbox.mtls.caCertificatePem],
    });
    keyPair = await assent.create<KeyPair>('key-pairs', {
      alias: 'payments',
      pem: { certificate: sandbox.mtls.clientCertificatePem, privateKey: sandbox.mtls.clientPrivateKeyPem },
    });
  }, 120_000);

  afterAll(async () => {
    await composition?.stop();
    await sandbox?.stop();
  }, 60_000);

  const body = (over: object) => ({
    name: `Rule ${randomUUID()}`,
    type: 'one-time-authorization',
    tokenProviderId: provider.id,
    loginHintAttribute: 'email',
    requestedExpirySeconds: 60,
    ...over,
  });

  it.each<[string, () => object]>([
    [
      'private_key_jwt and PS256',
      () => ({
        clientId: sandbox.clients.fapi.clientId,
        clientCredentials: { type: 'private-key-jwt' },
        signedRequest: { alg: 'PS256' },
      }),
    ],
    [
      'mutual TLS, bound tokens and ES256',
      () => ({
        clientId: sandbox.clients.fapiMtls.clientId,
        clientCredentials: { type: 'mutual-tls', keyPairId: keyPair.id },
      }),
    ],
  ])('takes a request through with %s (R38, R115, R117, R118, R120, R119, R121, R137)', async (_how, over) => {
    const rule = await assent.create<Rule>('rules', body({ ...over(), fapi: true }));
    // What FAPI asks for comes with it: a certificate binds tokens by itself, a key has to be proved (R121).
    const bound = rule.clientCredentials.type === 'private-key-jwt';
    expect(rule).toMatchObject({ fapi: true, dpop: bound });
    expect(rule.signedRequest).not.toBe(false);
    const { body: asked } = await assent.submit({ rule: rule.id, attributes: { email: 'alice@example.com' } });
    const prompt = await phone.next('alice@example.com');
    // Nobody gave a text: one is made up, and shown on both sides (R119).
    expect(prompt.bindingMessage).toMatch(/^[A-Z2-9]{6}$/);
    expect(prompt.bindingMessage).toBe(asked.bindingMessage);
    await phone.answer(prompt.id, 'approve');
    expect(await assent.decided(asked.id)).toMatchObject({
      status: 'approved',
      decision: { evidence: { subject: 'alice' } },
    });
    const line = (message: string) =>
      logLines(composition).find((one) => one['message'] === message && one['requestId'] === asked.id);
    expect(line('A start call was made')).toMatchObject({ interactionId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(line('A poll was answered')).toMatchObject({ interactionId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  it('is what lets these clients in: without it nobody is asked', async () => {
    const rule = await assent.create<Rule>(
      'rules',
      body({ clientId: sandbox.clients.fapi.clientId, clientCredentials: { type: 'private-key-jwt' } }),
    );
    const { body: asked } = await assent.submit({ rule: rule.id, attributes: { email: 'bob@example.com' } });
    expect(await assent.decided(asked.id)).toMatchObject({ status: 'failed', reason: 'provider_rejected' });
    expect(await phone.waiting('bob@example.com')).toEqual([]);
  });

  it.each([
    [
      'a client secret',
      { clientCredentials: { type: 'secret', clientSecret: 'a secret' } },
      ['/clientCredentials/type'],
    ],
    ['push', { clientCredentials: { type: 'private-key-jwt' }, deliveryMode: 'push' }, ['/deliveryMode']],
    [
      'both',
      { clientCredentials: { type: 'secret', clientSecret: 'a secret' }, deliveryMode: 'push' },
      ['/clientCredentials/type', '/deliveryMode'],
    ],
  ])('is refused together with %s (R115, R116, R120)', async (_what, over, pointers) => {
    const answer = await assent.call('POST', '/v1/rules', body({ clientId: 'client', ...over, fapi: true }));
    expect(answer).toMatchObject({ status: 422, body: { errors: pointers.map((pointer) => ({ pointer })) } });
  });
});

const logLines = (composition: Composition): Record<string, unknown>[] =>
  composition
    .process('poller')
    .output.split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
