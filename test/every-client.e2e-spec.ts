import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox, type SandboxMtls } from '#app/sandbox';
import type { AuthorizationRequestDocument, KeyPair, Rule, TokenProvider } from '#lib/contracts';
import type { ClientMetadata } from 'oidc-provider';
import { CIBA_GRANT_TYPE, MTLS_CLIENT_DNS_NAME, PING_ORIGIN } from '../apps/sandbox/src/clients.js';
import { certificateJwk } from '../apps/sandbox/src/identity.js';
import { AssentClient } from './support/assent-client.js';
import { prepareComposition, type Composition } from './support/composition.js';
import { cloneWithinThisRealm } from './support/one-realm.js';
import { freeConsecutivePorts } from './support/rabbitmq-ports.js';
import { SandboxPhone } from './support/sandbox-phone.js';

/**
 * Every way in which a client can prove who it is, by poll and by ping, from the request to its use: built services, a
 * provider that we did not write, and that provider's log of what came on the wire. oidc-provider does all of it but
 * push, which has a suite of its own against a simulated provider (test/push.e2e-spec.ts).
 *
 * All requests are made at once and answered by one thumb; each test looks at one of them.
 */

const secret = 'a secret of this test that has more than thirty-two bytes';
const modes = ['poll', 'ping'] as const;
type Mode = (typeof modes)[number];

interface Way {
  /** As the provider's log tells it. */
  readonly seen: string;
  readonly registered: (material: Material) => Partial<ClientMetadata>;
  readonly credentials: (keyPairIds: KeyPairIds) => object;
  readonly rule?: object;
  readonly provider?: 'PS256';
  /** How the access token is bound. */
  readonly bound?: 'x5t#S256' | 'jkt';
}

/** What the registration of a client needs. */
interface Material {
  readonly assentUrl: string;
  readonly mtls: SandboxMtls;
}

/** The key pairs in Assent. */
type KeyPairIds = Readonly<Record<'certified' | 'selfSigned', string>>;

const bySecret = (method: string, more: Partial<ClientMetadata> = {}): Omit<Way, 'seen'> => ({
  registered: () => ({ client_secret: secret, token_endpoint_auth_method: method as never, ...more }),
  credentials: () => ({ type: 'secret', clientSecret: secret, method }),
});
const byKey = (alg: 'ES256' | 'PS256'): Omit<Way, 'seen'> => ({
  registered: ({ assentUrl }) => ({
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: alg,
    jwks_uri: `${assentUrl}/.well-known/jwks.json`,
  }),
  credentials: () => ({ type: 'private-key-jwt' }),
});

const ways: Readonly<Record<string, Way>> = {
  client_secret_basic: { seen: 'client_secret_basic', ...bySecret('client_secret_basic') },
  client_secret_post: { seen: 'client_secret_post', ...bySecret('client_secret_post') },
  client_secret_jwt: {
    seen: 'client_secret_jwt HS256',
    ...bySecret('client_secret_jwt', { token_endpoint_auth_signing_alg: 'HS256' }),
  },
  'private_key_jwt ES256': { seen: 'private_key_jwt ES256', ...byKey('ES256') },
  'private_key_jwt PS256': { seen: 'private_key_jwt PS256', ...byKey('PS256'), provider: 'PS256' },
  tls_client_auth: {
    seen: 'tls_client_auth',
    registered: () => ({
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: MTLS_CLIENT_DNS_NAME,
    }),
    credentials: (keyPairIds) => ({ type: 'mutual-tls', keyPairId: keyPairIds.certified }),
  },
  self_signed_tls_client_auth: {
    seen: 'self_signed_tls_client_auth',
    registered: ({ mtls }) => ({
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: { keys: [certificateJwk(mtls.selfSignedCertificatePem)] },
    }),
    credentials: (keyPairIds) => ({
      type: 'mutual-tls',
      keyPairId: keyPairIds.selfSigned,
      method: 'self_signed_tls_client_auth',
    }),
  },
  'tls_client_auth with bound tokens': {
    seen: 'tls_client_auth',
    registered: () => ({
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: MTLS_CLIENT_DNS_NAME,
      tls_client_certificate_bound_access_tokens: true,
    }),
    credentials: (keyPairIds) => ({ type: 'mutual-tls', keyPairId: keyPairIds.certified }),
    bound: 'x5t#S256',
  },
  'client_secret_basic with DPoP': {
    seen: 'client_secret_basic',
    ...bySecret('client_secret_basic', { dpop_bound_access_tokens: true }),
    rule: { dpop: true },
    bound: 'jkt',
  },
};

interface LoggedCall {
  readonly endpoint: 'backchannel' | 'token';
  readonly status: number;
  readonly error: string | null;
  readonly authReqId: string | null;
  readonly clientId: string | null;
  readonly authentication: string;
}

interface Told {
  readonly document: AuthorizationRequestDocument;
  readonly consumed: { readonly status: number; readonly body: { accessToken: { value: string } | null } };
  readonly again: number;
}

let composition: Composition;
let sandbox: Sandbox;
let assent: AssentClient;
let usualProvider: TokenProvider;
const told = new Map<string, Promise<Told>>();

const clientIdOf = (way: string, mode: Mode): string => `${way.replaceAll(' ', '-')}-${mode}`;

beforeAll(async () => {
  cloneWithinThisRealm();
  composition = await prepareComposition('standalone');
  await composition.start();
  assent = new AssentClient(composition.url, composition.apiKey);
  sandbox = await startSandbox({
    port: await freeConsecutivePorts(2),
    assentUrl: composition.url,
    assentApiKey: null,
    intervalSeconds: 1,
    furtherClients: (mtls) => registrations({ assentUrl: composition.url, mtls }),
  });
  const keyPairIds = await importKeyPairs();
  usualProvider = await aProvider('Sandbox');
  const providers = { usual: usualProvider, PS256: await aProvider('Sandbox by PS256', ['PS256']) };
  for (const [way, { credentials, rule = {}, provider = 'usual' }] of Object.entries(ways)) {
    for (const mode of modes) {
      const name = clientIdOf(way, mode);
      await assent.create<Rule>('rules', {
        name,
        type: 'one-time-authorization',
        tokenProviderId: providers[provider].id,
        clientId: name,
        clientCredentials: credentials(keyPairIds),
        loginHintAttribute: 'email',
        bindingMessage: name,
        deliveryMode: mode,
        requestedExpirySeconds: 120,
        releaseAccessToken: true,
        ...rule,
      });
      const story = runStory(name);
      // A story that fails does so in its own test.
      story.catch(() => undefined);
      told.set(name, story);
    }
  }
}, 400_000);

afterAll(async () => {
  await composition?.stop();
  await sandbox?.stop();
}, 60_000);

const registrations = (material: Material): ClientMetadata[] =>
  Object.entries(ways).flatMap(([way, { registered }]) =>
    modes.map((mode) => ({
      client_id: clientIdOf(way, mode),
      grant_types: [CIBA_GRANT_TYPE],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: 'ES256',
      backchannel_token_delivery_mode: mode,
      ...(mode === 'ping' && {
        backchannel_client_notification_endpoint: `${PING_ORIGIN}/v1/ciba/notifications`,
      }),
      ...registered(material),
    })),
  );

async function importKeyPairs(): Promise<KeyPairIds> {
  const { mtls } = sandbox;
  const pair = async (alias: string, certificate: string, privateKey: string) =>
    (await assent.create<KeyPair>('key-pairs', { alias, pem: { certificate, privateKey } })).id;
  return {
    certified: await pair('certified', mtls.clientCertificatePem, mtls.clientPrivateKeyPem),
    selfSigned: await pair('self-signed', mtls.selfSignedCertificatePem, mtls.selfSignedPrivateKeyPem),
  };
}

/** The sandbox as a token provider; with its metadata written by hand when it is to take these algorithms only. */
async function aProvider(name: string, assertionAlgorithms?: readonly string[]): Promise<TokenProvider> {
  const discovered = await fetch(`${sandbox.issuer}/.well-known/openid-configuration`);
  const published = (await discovered.json()) as Record<string, unknown>;
  return assent.create<TokenProvider>('token-providers', {
    name,
    issuer: sandbox.issuer,
    trustedCertificates: [sandbox.mtls.caCertificatePem],
    ...(assertionAlgorithms && {
      metadata: Object.fromEntries(
        Object.entries({ ...published, token_endpoint_auth_signing_alg_values_supported: assertionAlgorithms }).filter(
          ([member]) => handWritten.includes(member),
        ),
      ),
    }),
  });
}

const handWritten = [
  'token_endpoint',
  'backchannel_authentication_endpoint',
  'jwks_uri',
  'grant_types_supported',
  'backchannel_token_delivery_modes_supported',
  'token_endpoint_auth_methods_supported',
  'token_endpoint_auth_signing_alg_values_supported',
  'id_token_signing_alg_values_supported',
];

async function runStory(name: string): Promise<Told> {
  const { status, body } = await assent.submit({ rule: name, attributes: { email: 'alice@example.com' } });
  if (status !== 202) throw new Error(`not accepted: ${status} ${JSON.stringify(body)}`);
  const phone = new SandboxPhone(sandbox.url);
  await phone.answerWhere('alice@example.com', (prompt) => prompt.bindingMessage === name, 'approve');
  const document = await assent.decided(body.id);
  const consumed = await assent.consume(body.id);
  return { document, consumed: consumed, again: (await assent.consume(body.id)).status };
}

const callsOf = async (clientId: string): Promise<LoggedCall[]> => {
  const answer = await fetch(`${sandbox.url}/calls`);
  return ((await answer.json()) as LoggedCall[]).filter((call) => call.clientId === clientId);
};

describe.each(Object.entries(ways))('%s', (way, { seen, bound }) => {
  it.each(modes)(
    'leads to an approval that can be used once, by %s (R6, R126)',
    async (mode) => {
      const name = clientIdOf(way, mode);
      const { document, consumed, again } = await told.get(name)!;
      expect(document).toMatchObject({
        status: 'approved',
        decision: { evidence: { issuer: sandbox.issuer, subject: 'alice' } },
      });
      expect([consumed.status, again]).toEqual([200, 409]);
      const calls = await callsOf(name);
      expect(new Set(calls.map(({ authentication }) => authentication))).toEqual(new Set([seen]));
      expect(calls.filter(({ endpoint }) => endpoint === 'backchannel')).toMatchObject([{ status: 200 }]);
      const polls = calls.filter(({ endpoint }) => endpoint === 'token');
      // After a ping the answer is there: nobody has asked in vain.
      const vain = polls.filter(({ error }) => error === 'authorization_pending' || error === 'slow_down');
      if (mode === 'ping') expect(vain).toEqual([]);
      expect(polls.at(-1)).toMatchObject({ status: 200, error: null });
      expect(polls.filter(({ status }) => status === 200)).toHaveLength(1);
      // A token that is bound to our key is never released; the provider gives this client no other.
      if (bound === 'jkt') expect(consumed.body.accessToken).toBeNull();
      else if (bound !== undefined) expect(await bindingOf(consumed.body.accessToken!.value)).toBe(bound);
    },
    300_000,
  );
});

describe('authorization details', () => {
  const payment = {
    type: 'payment_initiation',
    actions: ['initiate', 'status'],
    instructedAmount: { currency: 'EUR', amount: '25.00' },
  };

  it('that were granted in part only are invalid evidence, and the approval is never used (R129)', async () => {
    const { clientId, clientSecret } = sandbox.clients.secretBasic;
    await assent.create<Rule>('rules', {
      name: 'payment',
      type: 'one-time-authorization',
      tokenProviderId: usualProvider.id,
      clientId,
      clientCredentials: { type: 'secret', clientSecret },
      loginHintAttribute: 'email',
      bindingMessage: 'payment',
      authorizationDetails: [payment],
    });
    const { status, body } = await assent.submit({ rule: 'payment', attributes: { email: 'bob@example.com' } });
    expect(status).toBe(202);
    await grant(await acknowledged(clientId), [{ ...payment, actions: ['status'] }]);
    expect(await assent.decided(body.id)).toMatchObject({ status: 'failed', reason: 'invalid_evidence' });
    expect((await assent.consume(body.id)).status).toBe(409);
    expect((await callsOf(clientId)).at(-1)).toMatchObject({ endpoint: 'token', status: 200, error: null });
  }, 300_000);

  /** What the provider calls the request of this client, once it has one. */
  async function acknowledged(clientId: string): Promise<string> {
    for (;;) {
      const started = (await callsOf(clientId)).find(({ endpoint }) => endpoint === 'backchannel');
      if (started) return started.authReqId!;
      await pause(100);
    }
  }

  /** The person agrees to these details, by the provider's own word: the phone grants all that was asked for. */
  async function grant(authReqId: string, details: readonly object[]): Promise<void> {
    const { provider } = sandbox;
    const asked = await provider.BackchannelAuthenticationRequest.find(authReqId);
    const given = new provider.Grant({ clientId: asked!.clientId!, accountId: 'bob' });
    given.addOIDCScope('openid');
    given.addResourceScope('urn:assent:sandbox:bank', 'openid');
    await given.save();
    await provider.backchannelResult(asked!, given, {
      authTime: Math.floor(Date.now() / 1000),
      rar: details as never,
    });
  }
});

/** By what the provider has bound an access token; undefined when by nothing. */
async function bindingOf(value: string): Promise<string | undefined> {
  const token = (await sandbox.provider.AccessToken.find(value)) as unknown as Record<string, unknown>;
  return ['x5t#S256', 'jkt'].find((member) => token[member] !== undefined);
}
