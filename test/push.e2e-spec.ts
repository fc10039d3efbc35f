import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '#app/sandbox';
import type { AuthorizationRequestDocument, Rule, TokenProvider } from '#lib/contracts';
import { pushClient } from '../apps/sandbox/src/personas/persona-clients.js';
import { AssentClient } from './support/assent-client.js';
import { prepareComposition, type Composition } from './support/composition.js';
import { cloneWithinThisRealm } from './support/one-realm.js';
import { freeConsecutivePorts } from './support/rabbitmq-ports.js';
import { SandboxPhone } from './support/sandbox-phone.js';

/**
 * Push from the request to the decision (CIBA Core 1.0 §10.3): built services against a provider that the sandbox plays,
 * since oidc-provider has no push. The provider's own log says what was pushed, and that nobody asked for tokens.
 */

interface Story {
  readonly hint?: string;
  readonly answer?: 'approve' | 'deny';
  readonly expirySeconds?: number;
  readonly ends: { readonly status: string; readonly reason: string | null };
  /** What we answered to each push. */
  readonly pushes: readonly number[];
}

const stories: Readonly<Record<string, Story>> = {
  approved: { answer: 'approve', ends: { status: 'approved', reason: null }, pushes: [204] },
  denied: { answer: 'deny', ends: { status: 'denied', reason: null }, pushes: [204] },
  expired: { expirySeconds: 15, ends: { status: 'expired', reason: null }, pushes: [204] },
  'with an at_hash that does not fit': {
    hint: 'alice+push-other-hash@example.com',
    answer: 'approve',
    ends: { status: 'failed', reason: 'invalid_evidence' },
    pushes: [204],
  },
  'with the auth_req_id of somebody else': {
    hint: 'alice+push-foreign-id@example.com',
    answer: 'approve',
    expirySeconds: 30,
    ends: { status: 'expired', reason: null },
    pushes: [401],
  },
  'pushed twice': {
    hint: 'alice+push-twice@example.com',
    answer: 'approve',
    ends: { status: 'approved', reason: null },
    pushes: [204, 204],
  },
};

interface LoggedCall {
  readonly endpoint: string;
  readonly status: number;
  readonly authReqId: string | null;
  readonly parameters?: Readonly<Record<string, string>>;
}

interface Told {
  readonly document: AuthorizationRequestDocument;
  readonly pushes: readonly LoggedCall[];
}

let composition: Composition;
let sandbox: Sandbox;
let assent: AssentClient;
const told = new Map<string, Promise<Told>>();

beforeAll(async () => {
  cloneWithinThisRealm();
  composition = await prepareComposition('standalone');
  await composition.start();
  assent = new AssentClient(composition.url, composition.apiKey);
  const port = await freeConsecutivePorts(2);
  sandbox = await startSandbox({ port, assentUrl: composition.url, assentApiKey: null });
  const provider = await assent.create<TokenProvider>('token-providers', {
    name: 'By the book',
    issuer: `${sandbox.url}/as/standard`,
  });
  for (const [name, { expirySeconds = 120 }] of Object.entries(stories)) {
    await assent.create<Rule>('rules', {
      name,
      type: 'one-time-authorization',
      tokenProviderId: provider.id,
      clientId: pushClient.clientId,
      clientCredentials: { type: 'secret', clientSecret: pushClient.clientSecret },
      loginHintAttribute: 'email',
      bindingMessage: name,
      deliveryMode: 'push',
      requestedExpirySeconds: expirySeconds,
    });
  }
  for (const [name, story] of Object.entries(stories)) {
    const result = runStory(name, story);
    // A story that fails does so in its own test.
    result.catch(() => undefined);
    told.set(name, result);
  }
}, 400_000);

afterAll(async () => {
  await composition?.stop();
  await sandbox?.stop();
}, 60_000);

async function runStory(rule: string, { hint = 'alice@example.com', answer, pushes: wanted }: Story): Promise<Told> {
  const { status, body } = await assent.submit({ rule, attributes: { email: hint } });
  if (status !== 202) throw new Error(`not accepted: ${status} ${JSON.stringify(body)}`);
  if (answer !== undefined) {
    const phone = new SandboxPhone(sandbox.url);
    await phone.answerWhere('alice@example.com', (prompt) => prompt.bindingMessage === rule, answer);
  }
  const document = await assent.decided(body.id);
  return { document, pushes: await pushesOf(rule, wanted.length) };
}

/** What the provider pushed, once there is so much of it: its word of the end may come after our own deadline. */
async function pushesOf(rule: string, wanted: number): Promise<LoggedCall[]> {
  for (let tries = 0; ; tries++) {
    const calls = await callLog();
    const started = calls.find(({ parameters }) => parameters?.['binding_message'] === rule);
    const pushes = calls.filter(
      ({ endpoint, authReqId }) => endpoint === 'notification' && authReqId === started?.authReqId,
    );
    if (pushes.length >= wanted || tries === 100) return pushes;
    await pause(200);
  }
}

const callLog = async (): Promise<LoggedCall[]> =>
  (await (await fetch(`${sandbox.url}/as/standard/calls`)).json()) as LoggedCall[];

describe('a pushed answer', () => {
  it.each(Object.entries(stories))(
    '%s ends the request as it should (R82, R84, R85)',
    async (name, { ends, pushes }) => {
      const { document, pushes: pushed } = await told.get(name)!;
      expect(document).toMatchObject({ ...ends, decision: { outcome: ends.status, reason: ends.reason } });
      expect(pushed.map(({ status }) => status)).toEqual(pushes);
      expect((await assent.consume(document.id)).status).toBe(ends.status === 'approved' ? 200 : 409);
    },
    300_000,
  );

  it('is all there is: nobody has called the token endpoint (R86)', async () => {
    await Promise.allSettled(told.values());
    const calls = await callLog();
    expect(calls.filter(({ endpoint }) => endpoint === 'backchannel')).toHaveLength(Object.keys(stories).length);
    expect(calls.filter(({ endpoint }) => endpoint === 'token')).toEqual([]);
  }, 300_000);
});
