import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '#app/sandbox';
import type { AuthorizationRequestDocument, Rule, TokenProvider } from '#lib/contracts';
import { sandboxClients } from '../apps/sandbox/src/clients.js';
import { AssentClient } from './support/assent-client.js';
import { prepareComposition, type Composition } from './support/composition.js';
import { cloneWithinThisRealm } from './support/one-realm.js';
import { freeConsecutivePorts } from './support/rabbitmq-ports.js';
import { SandboxPhone, type PhonePrompt } from './support/sandbox-phone.js';

/**
 * What is peculiar about known providers (docs/providers.md), end to end: built services against the personas that the
 * sandbox plays. The personas are our own simulation; that a provider behaves so is not proved here.
 *
 * All requests are made at once and answered by one thumb; each test looks at one of them.
 */

interface Story {
  readonly persona: string;
  /** The hint attribute; Alice's in the form that the persona takes when left out. */
  readonly hint?: string;
  readonly text?: string;
  readonly answer?: 'approve' | 'deny';
  readonly rule?: Readonly<Record<string, unknown>>;
}

interface LoggedCall {
  readonly endpoint: string;
  readonly status: number;
  readonly receivedAtMs: number;
  readonly answeredAtMs: number;
  readonly error: string | null;
  readonly authReqId: string | null;
  readonly parameters: Readonly<Record<string, string>>;
}

interface Told {
  readonly document: AuthorizationRequestDocument;
  readonly prompt: PhonePrompt | null;
  /** The polls of this request, oldest first. */
  readonly polls: readonly LoggedCall[];
  readonly notifications: readonly LoggedCall[];
}

/** Nobody has signed it; some providers take it all the same. */
function unsignedToken(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.`;
}

/** The sandbox's clients have the same ids and secrets everywhere. */
function credentialsOf(client: 'ping'): object {
  const { clientId, clientSecret } = sandboxClients[client];
  return { clientId, clientCredentials: { type: 'secret', clientSecret } };
}

const stories = {
  pingfederate: { persona: 'pingfederate', answer: 'approve', rule: { requestedExpirySeconds: 600 } },
  'pingfederate token': {
    persona: 'pingfederate',
    hint: unsignedToken({ sub: 'alice' }),
    answer: 'approve',
    rule: { hintKind: 'login_hint_token' },
  },
  'keycloak ping': { persona: 'keycloak', answer: 'approve', rule: { deliveryMode: 'ping', ...credentialsOf('ping') } },
  pingone: { persona: 'pingone', answer: 'approve' },
  keycloak: { persona: 'keycloak', answer: 'approve', text: 'Pay 10.00 €', rule: { requestedExpirySeconds: 600 } },
  'keycloak denied': { persona: 'keycloak', answer: 'deny' },
  'keycloak unknown': { persona: 'keycloak', hint: 'nobody' },
  'keycloak device': { persona: 'keycloak', hint: 'alice+device-fails@example.com' },
  'keycloak set-up': { persona: 'keycloak', hint: 'alice+not-set-up@example.com', answer: 'approve' },
  'keycloak scope': { persona: 'keycloak', hint: 'alice+scope-gone@example.com', answer: 'approve' },
  auth0: { persona: 'auth0', answer: 'approve', text: 'Pay 10.00 EUR (now)' },
  'auth0 no text': { persona: 'auth0', answer: 'approve', rule: { requestedExpirySeconds: 301 } },
  'auth0 expired': { persona: 'auth0', rule: { requestedExpirySeconds: 9 } },
  'auth0 no push': { persona: 'auth0', hint: 'auth0|alice+no-push' },
  okta: { persona: 'okta', answer: 'approve', rule: { requestedExpirySeconds: 60 } },
  'okta assertion': {
    persona: 'okta',
    answer: 'approve',
    rule: { clientId: 'assent-private-key-jwt', clientCredentials: { type: 'private-key-jwt' } },
  },
  'okta device': { persona: 'okta', hint: 'alice+no-authenticator@example.com' },
  duende: { persona: 'duende', answer: 'approve', rule: { requestedExpirySeconds: 600 } },
  'duende denied': { persona: 'duende', answer: 'deny' },
  wso2: { persona: 'wso2', answer: 'approve' },
  'wso2 assertion': {
    persona: 'wso2',
    answer: 'approve',
    rule: { clientId: 'assent-private-key-jwt', clientCredentials: { type: 'private-key-jwt' } },
  },
  curity: { persona: 'curity', answer: 'approve', text: `${'A long text. '.repeat(40)}END` },
  camara: { persona: 'camara', hint: '+15550001001', answer: 'approve' },
  'camara denied': { persona: 'camara', hint: '+15550001001', answer: 'deny' },
  'camara blocked': { persona: 'camara', hint: '+15550001001;blocked' },
  abblix: { persona: 'abblix', answer: 'approve' },
  emoji: { persona: 'standard', answer: 'approve', text: 'Pay 🍕 10 €' },
  'ciba off': { persona: 'standard', hint: 'alice+ciba-off@example.com' },
  'odd id': { persona: 'standard', hint: 'alice+odd-id@example.com', answer: 'approve' },
  'at once': { persona: 'standard', hint: 'alice+at-once@example.com' },
  'no interval': { persona: 'standard', hint: 'alice+no-interval@example.com', answer: 'approve' },
  'text interval': { persona: 'standard', hint: 'alice+interval-as-text@example.com', answer: 'approve' },
  'zero interval': { persona: 'standard', hint: 'alice+interval-zero@example.com', answer: 'approve' },
  meltdown: { persona: 'standard', hint: 'alice+meltdown@example.com', answer: 'approve' },
} as const satisfies Record<string, Story>;

type StoryName = keyof typeof stories;

/** Spoils whatever it can, and must never get an approval out of us; the silent ones are tested elsewhere, at length. */
const spoilers = [
  ...[
    'unsigned',
    'foreign-key',
    'spoiled-signature',
    'other-issuer',
    'other-audience',
    'extra-audience',
    'other-party',
  ],
  ...['no-subject', 'old-token', 'expired-token', 'token-of-tomorrow', 'old-authentication', 'other-request'],
  ...['other-access-token', 'no-id-token', 'narrower-scope', 'error-and-tokens', 'tokens-with-201', 'token-html'],
  ...['token-redirect', 'token-cut', 'invisible-error', 'error-is-a-list', 'slow-down-forever', 'unknown-error'],
  ...['no-id', 'id-is-a-number', 'huge-id', 'id-with-line-breaks', 'no-expiry', 'negative-expiry', 'start-html'],
  ...['start-redirect', 'error-and-id', 'twice-the-id', 'start-cut', 'start-502'],
];

let composition: Composition;
let sandbox: Sandbox;
let assent: AssentClient;
let phone: SandboxPhone;
const told: Partial<Record<StoryName, Promise<Told>>> = {};

beforeAll(async () => {
  cloneWithinThisRealm();
  composition = await prepareComposition('standalone');
  await composition.start();
  const port = await freeConsecutivePorts(2);
  sandbox = await startSandbox({ port, assentUrl: composition.url, assentApiKey: null });
  assent = new AssentClient(composition.url, composition.apiKey);
  phone = new SandboxPhone(sandbox.url);
  const { personas } = (await (await fetch(sandbox.personasUrl)).json()) as {
    personas: { name: string; issuer: string; profile: string }[];
  };
  for (const { name, issuer, profile } of personas) {
    providers.set(name, await assent.create<TokenProvider>('token-providers', { name, issuer, profile }));
  }
  for (const name of Object.keys(stories) as StoryName[]) told[name] = tell(name, stories[name]);
}, 120_000);

afterAll(async () => {
  await Promise.allSettled(Object.values(told));
  await composition?.stop();
  await sandbox?.stop();
}, 120_000);

const providers = new Map<string, TokenProvider>();

const addRule = (name: string, persona: string, more: object = {}): Promise<Rule> =>
  assent.create<Rule>('rules', {
    name,
    type: 'one-time-authorization',
    tokenProviderId: providers.get(persona)!.id,
    clientId: sandbox.clients.secretBasic.clientId,
    clientCredentials: { type: 'secret', clientSecret: sandbox.clients.secretBasic.clientSecret },
    loginHintAttribute: 'hint',
    ...more,
  });

const aliceAt = (persona: string): string => (persona === 'auth0' ? 'auth0|alice' : 'alice@example.com');

async function tell(name: StoryName, { persona, hint, text, answer, rule }: Story): Promise<Told> {
  const { id: ruleId } = await addRule(name, persona, rule);
  // A text of its own tells whose question it is; a persona that shows none has one question at a time.
  const bindingMessage = text ?? `Story-${Object.keys(stories).indexOf(name)}`;
  const submitted = await assent.submit({
    rule: ruleId,
    attributes: { hint: hint ?? aliceAt(persona) },
    ...(name !== 'auth0 no text' && { bindingMessage }),
  });
  expect([name, submitted.status]).toEqual([name, 202]);
  const { id, bindingMessage: shown } = submitted.body;
  const prompt = answer ? await promptOf(shown) : null;
  if (prompt && answer) await phone.answer(prompt.id, answer);
  const document = await assent.decided(id);
  const calls = (await (await fetch(`${sandbox.url}/as/${persona}/calls`)).json()) as LoggedCall[];
  return {
    document,
    prompt,
    polls: callsOf(calls, shown, 'token'),
    notifications: callsOf(calls, shown, 'notification'),
  };
}

/** What follows from the start call with this text: the last one, for it may have been repeated without what was refused. */
function callsOf(calls: readonly LoggedCall[], shown: string | null, endpoint: string): LoggedCall[] {
  const start = calls.findLast(
    (call) => call.endpoint === 'backchannel' && call.parameters['binding_message'] === shown,
  );
  return calls.filter((call) => call.endpoint === endpoint && call.authReqId === start?.authReqId);
}

async function promptOf(shown: string | null): Promise<PhonePrompt> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const prompt = (await phone.waiting('alice@example.com')).find(({ bindingMessage }) => bindingMessage === shown);
    if (prompt) return prompt;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Nobody was asked "${shown}".`);
}

const secondsGiven = ({ document: { createdAt, expiresAt } }: Told): number =>
  Math.round((Date.parse(expiresAt ?? '') - Date.parse(createdAt)) / 10_000) * 10;

async function story(name: StoryName): Promise<Told> {
  return told[name]!;
}

/** The shortest time from one answer to the next poll, in ms. */
const shortestPauseMs = (polls: readonly LoggedCall[]): number =>
  Math.min(...polls.slice(1).map(({ receivedAtMs }, index) => receivedAtMs - polls[index]!.answeredAtMs));

const limitMs = 100_000;

describe('by the personas of the sandbox', () => {
  it.each<[StoryName, string]>([
    ['pingfederate', 'Q45'],
    ['pingfederate token', 'Q46'],
    ['pingone', 'Q37'],
    ['auth0', 'Q1'],
    ['okta', 'Q15'],
    ['okta assertion', 'Q34'],
    ['duende', 'Q22'],
    ['wso2', 'Q24'],
    ['wso2 assertion', 'Q34'],
    ['abblix', 'Q25'],
    ['camara', 'Q36'],
    ['odd id', 'Q28'],
    ['at once', 'Q30'],
    ['no interval', 'Q18'],
    ['text interval', 'Q40'],
    ['zero interval', 'Q40'],
    ['meltdown', 'Q44'],
  ])(
    '%s: the approval is had all the same (%s)',
    async (name) => {
      expect((await story(name)).document).toMatchObject({ status: 'approved' });
    },
    limitMs,
  );

  it.each<[StoryName, string, string | null, string]>([
    ['keycloak denied', 'denied', null, 'Q17'],
    ['duende denied', 'denied', null, 'Q22'],
    ['camara denied', 'denied', null, 'Q26'],
    ['keycloak unknown', 'failed', 'unknown_user', 'Q11'],
    ['keycloak device', 'failed', 'provider_error', 'Q27'],
    ['keycloak set-up', 'failed', 'provider_error', 'Q29'],
    ['keycloak scope', 'failed', 'provider_rejected', 'Q29'],
    ['auth0 no push', 'failed', 'unknown_user', 'Q6'],
    ['auth0 expired', 'expired', null, 'Q2'],
    ['okta device', 'denied', 'provider_policy', 'Q38'],
    ['camara blocked', 'denied', 'provider_policy', 'Q26'],
    ['ciba off', 'failed', 'provider_rejected', 'Q26'],
  ])(
    '%s ends as %s, %s (%s)',
    async (name, status, reason) => {
      expect((await story(name)).document).toMatchObject({ status, reason });
    },
    limitMs,
  );

  it.each<[StoryName, number, string]>([
    ['pingfederate', 120, 'Q13'],
    ['keycloak', 120, 'Q12'],
    ['auth0 no text', 300, 'Q4'],
    ['duende', 300, 'Q14'],
    ['camara', 120, 'Q14'],
    ['curity', 900, 'Q47'],
    ['wso2', 3600, 'Q23'],
  ])(
    '%s: what counts is the time that was given, %i s (%s)',
    async (name, seconds) => {
      expect(secondsGiven(await story(name))).toBe(seconds);
    },
    limitMs,
  );

  it.each<[StoryName, string, string]>([
    ['keycloak', 'Pay-10.00--', 'Q8'],
    ['auth0', 'Pay-10.00-EUR--now-', 'Q5'],
    ['curity', `${'A long text. '.repeat(40)}END`, 'Q9'],
    ['emoji', 'Pay 🍕 10 €', 'Q10'],
  ])(
    '%s: the phone shows what the API says, %j (%s)',
    async (name, text) => {
      const { document, prompt } = await story(name);
      expect([document.bindingMessage, prompt?.bindingMessage]).toEqual([text, text]);
    },
    limitMs,
  );

  it('auth0 demands a text, so a code is made up and shown (Q5)', async () => {
    const { document, prompt } = await story('auth0 no text');
    expect(document.bindingMessage).toMatch(/^[A-Z2-9]{6}$/);
    expect(prompt?.bindingMessage).toBe(document.bindingMessage);
  });

  it('curity sends at_hash and the request’s id, and others send neither (Q32)', async () => {
    const { document } = await story('curity');
    expect(document.decision?.evidence).toMatchObject({ subject: 'alice' });
    expect((await story('pingone')).document.status).toBe('approved');
  });

  it.each<[StoryName, string]>([
    ['keycloak', 'Q17'],
    ['duende', 'Q22'],
    ['wso2', 'Q23'],
    ['camara', 'Q43'],
    ['pingfederate', 'Q45'],
  ])(
    '%s never sees an early or an overlapping poll (%s)',
    async (name) => {
      const { polls } = await story(name);
      expect(polls.length).toBeGreaterThan(0);
      expect(polls.filter(({ error }) => error === 'slow_down' || error === 'invalid_request')).toEqual([]);
      expect(shortestPauseMs(polls)).toBeGreaterThan(0);
    },
    limitMs,
  );

  it('keycloak pings once, and is answered 204 (Q31)', async () => {
    const { document, notifications } = await story('keycloak ping');
    expect(document).toMatchObject({ status: 'approved' });
    expect(notifications.map(({ status }) => status)).toEqual([204]);
  });

  it('pingone cannot be called with a client certificate: said at once (Q37)', async () => {
    const { id: keyPairId } = await assent.create('key-pairs', {
      alias: 'certificate',
      pem: { certificate: sandbox.mtls.clientCertificatePem, privateKey: sandbox.mtls.clientPrivateKeyPem },
    });
    const rule = { clientId: 'assent-mtls', clientCredentials: { type: 'mutual-tls', keyPairId } };
    const { id } = await addRule('pingone with a certificate', 'pingone', rule);
    const { body } = await assent.submit({ rule: id, attributes: { hint: 'alice@example.com' } });
    expect(await assent.decided(body.id)).toMatchObject({ status: 'failed', reason: 'configuration_error' });
  });

  it(
    'auth0 refuses the sixth prompt in a minute: nobody is asked, and the request ends in time (Q7)',
    async () => {
      const { id } = await addRule('auth0 for Bob', 'auth0');
      const submitted = await Promise.all(
        Array.from({ length: 6 }, () => assent.submit({ rule: id, attributes: { hint: 'auth0|bob' } })),
      );
      const ids = submitted.map(({ body }) => body.id);
      const failed = await Promise.any(
        ids.map(async (one) => {
          const { status, reason } = await assent.decided(one);
          return status === 'failed' ? reason : Promise.reject(new Error(status));
        }),
      );
      expect(failed).toBe('provider_error');
      const statuses = await Promise.all(ids.map(async (one) => (await assent.request(one)).body.status));
      expect(statuses.sort()).toEqual(['failed', ...Array.from({ length: 5 }, () => 'pending')]);
    },
    limitMs,
  );

  it(
    'the hostile one never gets an approval out of us, whatever it does',
    async () => {
      const { id } = await addRule('hostile', 'hostile', { requestedExpirySeconds: 15 });
      const ends = await Promise.all(
        spoilers.map(async (name) => {
          const { body } = await assent.submit({ rule: id, attributes: { hint: `alice+${name}@example.com` } });
          return [name, (await assent.decided(body.id)).status] as const;
        }),
      );
      expect(ends.filter(([, status]) => status !== 'failed' && status !== 'expired')).toEqual([]);
    },
    limitMs,
  );
});
