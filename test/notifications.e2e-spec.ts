import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startSandbox, type Sandbox } from '#app/sandbox';
import type { Rule, TokenProvider } from '#lib/contracts';
import { AssentClient } from './support/assent-client.js';
import { compositionKinds, prepareComposition, type Composition, type CompositionKind } from './support/composition.js';
import { describeWithBroker } from './support/needs.js';
import { cloneWithinThisRealm } from './support/one-realm.js';
import { freeConsecutivePorts } from './support/rabbitmq-ports.js';
import { SandboxPhone } from './support/sandbox-phone.js';
import { startScriptedProvider, type ScriptedProvider } from './support/scripted-provider.js';

jest.setTimeout(120_000);

/** Pings of a real provider, and of a scripted one that pings when no real one would, to built services. */
for (const kind of compositionKinds) {
  const describeWithItsNeeds = kind === 'distributed' ? describeWithBroker : describe;
  describeWithItsNeeds(`notifications, ${kind}`, () => notifications(kind));
}

function notifications(kind: CompositionKind): void {
  let composition: Composition;
  let sandbox: Sandbox;
  let scripted: ScriptedProvider;
  let assent: AssentClient;

  beforeAll(async () => {
    cloneWithinThisRealm();
    composition = await prepareComposition(kind);
    await composition.start();
    const port = await freeConsecutivePorts(2);
    // An interval that no test waits for: whoever is approved in time was pinged.
    sandbox = await startSandbox({ port, assentUrl: composition.url, assentApiKey: null, intervalSeconds: 100 });
    scripted = await startScriptedProvider({
      intervalSeconds: 100,
      metadata: { backchannel_token_delivery_modes_supported: ['ping'] },
    });
    assent = new AssentClient(composition.url, composition.apiKey);
    const { clientId, clientSecret } = sandbox.clients.ping;
    await defineRule('Real', sandbox.issuer, clientId, clientSecret);
    await defineRule('Scripted', scripted.issuer, 'client', 'a secret');
  }, 300_000);

  afterAll(async () => {
    await composition?.stop();
    await Promise.all([sandbox?.stop(), scripted?.stop()]);
  }, 60_000);

  async function defineRule(name: string, issuer: string, clientId: string, clientSecret: string): Promise<void> {
    const provider = await assent.create<TokenProvider>('token-providers', { name, issuer });
    await assent.create<Rule>('rules', {
      name,
      type: 'one-time-authorization',
      tokenProviderId: provider.id,
      clientId,
      clientCredentials: { type: 'secret', clientSecret },
      loginHintAttribute: 'email',
      deliveryMode: 'ping',
    });
  }

  const submit = async (rule: string): Promise<string> => {
    const { status, body } = await assent.submit({ rule, attributes: { email: 'alice@example.com' } });
    expect(status).toBe(202);
    return body.id;
  };

  const ping = async (token: string, authReqId: string): Promise<number> => {
    const answer = await fetch(`${composition.url}/v1/ciba/notifications`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ auth_req_id: authReqId }),
    });
    return answer.status;
  };

  it.each([
    ['approve', 'approved'],
    ['deny', 'denied'],
  ] as const)(
    'the real provider pings when the person has pressed %s, and the answer is fetched at once (R71, R76)',
    async (answer, status) => {
      const id = await submit('Real');
      await new SandboxPhone(sandbox.url).answerNext('alice@example.com', answer);
      expect(await assent.decided(id)).toMatchObject({ status });
    },
  );

  it.each<[string, object]>([
    ['comes before the answer to the start call', { delayMs: 500 }],
    ['comes in place of an answer that is lost', { delayMs: 500, reset: true }],
  ])('a ping that %s leads to the approval (R47)', async (_what, reply) => {
    const authReqId = `id-${Math.random()}`;
    const pinged: Promise<number>[] = [];
    scripted.on('backchannel', (call) => {
      scripted.off('backchannel');
      pinged.push(ping(call.form.get('client_notification_token')!, authReqId));
      return { json: { auth_req_id: authReqId, expires_in: 120 }, ...reply };
    });
    scripted.on('token', async ({ form }) => {
      if (form.get('auth_req_id') !== authReqId) return null;
      const id_token = await scripted.idToken({ aud: 'client', sub: 'alice' });
      return { json: { access_token: 'at', token_type: 'Bearer', id_token } };
    });
    const id = await submit('Scripted');
    expect(await assent.decided(id)).toMatchObject({ status: 'approved' });
    expect(await Promise.all(pinged)).toEqual([204]);
    expect(await ping('not-a-token', authReqId)).toBe(401);
  });
}
