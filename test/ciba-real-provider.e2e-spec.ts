import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '#app/sandbox';
import {
  CibaClient,
  type ClientCredentials,
  type ClientRegistration,
  type SigningKeyMaterial,
  type StartRequest,
  type TokenAnswer,
  type Verification,
} from '#lib/ciba';
import { cloneWithinThisRealm } from './support/one-realm.js';
import { freeConsecutivePorts } from './support/rabbitmq-ports.js';

/** The CIBA client against a provider that we did not write. */

const keyPairs = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
};
const ownKeys = (['ES256', 'PS256'] as const).map((alg) => ({
  kid: `key-${alg}`,
  alg,
  privateKeyPem: keyPairs[alg].privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
}));
const [es256Key] = ownKeys as [SigningKeyMaterial, SigningKeyMaterial];

let sandbox: Sandbox;
let client: CibaClient;
let registrations = 0;

beforeAll(async () => {
  cloneWithinThisRealm();
  const keys = ownKeys.map(({ kid, alg }) => ({
    ...keyPairs[alg].publicKey.export({ format: 'jwk' }),
    kid,
    alg,
    use: 'sig',
  }));
  sandbox = await startSandbox({
    port: await freeConsecutivePorts(2),
    assentUrl: null,
    assentApiKey: null,
    intervalSeconds: 0,
    privateKeyJwtJwks: { keys },
  });
  client = new CibaClient({ allowInsecureHttp: true });
});

afterAll(async () => {
  await client.close();
  await sandbox.stop();
});

function aRegistration(clientId: string, credentials: ClientCredentials): ClientRegistration {
  const trustedCertificates = credentials.type === 'mutual-tls' ? [sandbox.mtls.caCertificatePem] : [];
  const id = `sandbox-${credentials.type}`;
  return {
    key: `rule-${(registrations += 1)}`,
    clientId,
    credentials,
    provider: { id, issuer: sandbox.issuer, metadata: null, trustedCertificates, profile: 'generic' },
  };
}

function secretRegistration(): ClientRegistration {
  const { clientId, clientSecret } = sandbox.clients.secretBasic;
  return aRegistration(clientId, { type: 'secret', clientSecret, method: null });
}

function aRequest(change: Partial<StartRequest> = {}): StartRequest {
  return {
    scope: 'openid',
    loginHint: 'alice@example.com',
    bindingMessage: null,
    requestedExpirySeconds: 60,
    acrValues: [],
    authorizationDetails: null,
    userCode: null,
    clientNotificationToken: null,
    ...change,
  };
}

async function startOf(registration: ClientRegistration, request = aRequest()): Promise<string> {
  const outcome = await client.start(registration, request);
  if (outcome.kind !== 'acknowledged') throw new Error(JSON.stringify(outcome));
  return outcome.authReqId;
}

async function tokensOf(registration: ClientRegistration, authReqId: string): Promise<TokenAnswer> {
  const outcome = await client.poll(registration, authReqId);
  if (outcome.kind !== 'tokens') throw new Error(JSON.stringify(outcome));
  return outcome.answer;
}

/** The person takes the phone and answers the one request with this binding message. */
async function answerOnPhone(bindingMessage: string, answer: 'approve' | 'deny'): Promise<void> {
  const list = await fetch(`${sandbox.phoneUrl}/requests?loginHint=alice@example.com`);
  const waiting = (await list.json()) as { id: string; bindingMessage: string | null }[];
  const mine = waiting.find((request) => request.bindingMessage === bindingMessage);
  const answered = await fetch(`${sandbox.phoneUrl}/requests/${mine?.id}/${answer}`, { method: 'POST' });
  expect(answered.ok).toBe(true);
}

function verify(
  registration: ClientRegistration,
  answer: TokenAnswer,
  authReqId: string,
  sentAt: Date,
): Promise<Verification> {
  const { clientId } = registration;
  const expectation = {
    clientId,
    requestedScope: 'openid',
    sentAt,
    acrValues: [],
    expectedSubject: 'alice',
    authReqId,
  };
  return client.verify(registration, answer, expectation, new Date());
}

const certificate = (kind: 'client' | 'selfSigned'): ClientCredentials => ({
  type: 'mutual-tls',
  method: null,
  certificateChainPem: kind === 'client' ? sandbox.mtls.clientCertificatePem : sandbox.mtls.selfSignedCertificatePem,
  privateKeyPem: kind === 'client' ? sandbox.mtls.clientPrivateKeyPem : sandbox.mtls.selfSignedPrivateKeyPem,
});
const ownKey: ClientCredentials = {
  type: 'private-key-jwt',
  signingKey: es256Key,
};

describe('the real provider', () => {
  it.each<[string, () => ClientRegistration]>([
    ['client_secret_basic', secretRegistration],
    [
      'client_secret_post',
      () => {
        const { clientId, clientSecret } = sandbox.clients.secretPost;
        return aRegistration(clientId, { type: 'secret', clientSecret, method: 'client_secret_post' });
      },
    ],
    [
      'client_secret_jwt',
      () => {
        const { clientId, clientSecret } = sandbox.clients.secretJwt;
        return aRegistration(clientId, { type: 'secret', clientSecret, method: 'client_secret_jwt' });
      },
    ],
    ['tls_client_auth', () => aRegistration(sandbox.clients.tlsClientAuth.clientId, certificate('client'))],
    [
      'self_signed_tls_client_auth',
      () => aRegistration(sandbox.clients.selfSignedTls.clientId, certificate('selfSigned')),
    ],
    ['private_key_jwt', () => aRegistration(sandbox.clients.privateKeyJwt.clientId, ownKey)],
  ])('takes a client through with %s (R6)', async (method, register) => {
    const registration = register();
    const sentAt = new Date();
    const authReqId = await startOf(registration, aRequest({ bindingMessage: `Pay-${method}` }));
    expect((await client.poll(registration, authReqId)).kind).toBe('pending');
    await answerOnPhone(`Pay-${method}`, 'approve');
    const answer = await tokensOf(registration, authReqId);
    expect(await verify(registration, answer, authReqId, sentAt)).toMatchObject({
      kind: 'verified',
      evidence: { issuer: sandbox.issuer, subject: 'alice' },
    });
  });

  it('lets the person say no, once', async () => {
    const registration = secretRegistration();
    const authReqId = await startOf(registration, aRequest({ bindingMessage: 'Say-no' }));
    await answerOnPhone('Say-no', 'deny');
    expect((await client.poll(registration, authReqId)).kind).toBe('denied');
    expect((await client.poll(registration, authReqId)).kind).toBe('invalid-grant');
  });

  it('gives an approval away once', async () => {
    const registration = secretRegistration();
    const authReqId = await startOf(registration, aRequest({ bindingMessage: 'Only-once' }));
    await answerOnPhone('Only-once', 'approve');
    await tokensOf(registration, authReqId);
    expect((await client.poll(registration, authReqId)).kind).toBe('invalid-grant');
  });

  it('keeps the approval of one client from another', async () => {
    const registration = secretRegistration();
    const authReqId = await startOf(registration, aRequest({ bindingMessage: 'Not-yours' }));
    await answerOnPhone('Not-yours', 'approve');
    const other = aRegistration(sandbox.clients.privateKeyJwt.clientId, ownKey);
    expect((await client.poll(other, authReqId)).kind).toBe('invalid-grant');
    expect((await client.poll(registration, authReqId)).kind).toBe('tokens');
  });

  it('says who is unknown', async () => {
    const outcome = await client.start(secretRegistration(), aRequest({ loginHint: 'nobody@example.com' }));
    expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'unknown_user_id' } });
  });

  it.each<[string, () => ClientRegistration]>([
    [
      'a wrong secret',
      () => aRegistration(sandbox.clients.secretBasic.clientId, { type: 'secret', clientSecret: 'no', method: null }),
    ],
    [
      'a certificate that is not registered',
      () => aRegistration(sandbox.clients.tlsClientAuth.clientId, certificate('selfSigned')),
    ],
    [
      'a key that is not registered',
      () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const privateKeyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
        const signingKey = { ...es256Key, privateKeyPem };
        return aRegistration(sandbox.clients.privateKeyJwt.clientId, { type: 'private-key-jwt', signingKey });
      },
    ],
  ])('refuses %s, at the start and at a poll', async (_what, register) => {
    const registration = register();
    const refused = { kind: 'refused', error: { code: 'invalid_client' } };
    expect(await client.start(registration, aRequest())).toMatchObject(refused);
    expect(await client.poll(registration, 'id-1')).toMatchObject(refused);
  });

  it('issues evidence that serves no other request', async () => {
    const registration = secretRegistration();
    const sentAt = new Date();
    const authReqId = await startOf(registration, aRequest({ bindingMessage: 'Mine' }));
    await answerOnPhone('Mine', 'approve');
    const answer = await tokensOf(registration, authReqId);
    const later = new Date(sentAt.getTime() + 120_000);
    expect(await verify(registration, answer, authReqId, later)).toMatchObject({ problem: 'issued_before_request' });
    const stranger = { ...registration, clientId: 'assent-mtls' };
    expect(await verify(stranger, answer, authReqId, sentAt)).toMatchObject({ problem: 'audience' });
    expect((await verify(registration, answer, authReqId, sentAt)).kind).toBe('verified');
  });
});

describe('a profile that wants the called address in assertions', () => {
  it('works with the real provider as well', async () => {
    const registration = aRegistration(sandbox.clients.privateKeyJwt.clientId, ownKey);
    const okta = { ...registration, key: 'okta', provider: { ...registration.provider, profile: 'okta' as const } };
    expect((await client.poll(okta, await startOf(okta))).kind).toBe('pending');
  });
});

describe('a client whose requests are signed', () => {
  const signed = (change: Partial<ClientRegistration> = {}): ClientRegistration => {
    const { clientId, clientSecret } = sandbox.clients.signedRequest;
    const registration = aRegistration(clientId, { type: 'secret', clientSecret, method: null });
    return { ...registration, requestSigning: { keys: ownKeys, alg: null }, ...change };
  };

  it('is taken through by the real provider (R31, R33, R34, R36, R118)', async () => {
    const registration = signed();
    const sentAt = new Date();
    const request = aRequest({ bindingMessage: 'Signed', requestedExpirySeconds: 77, acrValues: ['phr'] });
    const outcome = await client.start(registration, request);
    expect(outcome).toMatchObject({ kind: 'acknowledged', expiresInSeconds: 77 });
    const authReqId = outcome.kind === 'acknowledged' ? outcome.authReqId : '';
    await answerOnPhone('Signed', 'approve');
    const answer = await tokensOf(registration, authReqId);
    expect(await verify(registration, answer, authReqId, sentAt)).toMatchObject({
      kind: 'verified',
      evidence: { subject: 'alice', acr: 'phr' },
    });
  });

  it.each<[string, () => Partial<ClientRegistration>]>([
    ['not signed', () => ({ requestSigning: null })],
    ['signed with another algorithm than registered', () => ({ requestSigning: { keys: ownKeys, alg: 'PS256' } })],
    [
      'signed by a stranger',
      () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const privateKeyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
        return { requestSigning: { keys: [{ ...es256Key, privateKeyPem }], alg: null } };
      },
    ],
  ])('is refused when its request is %s', async (_what, change) => {
    expect(await client.start(signed(change()), aRequest())).toMatchObject({
      kind: 'refused',
      error: { code: expect.stringMatching(/^invalid_request/) },
    });
  });
});

/** What the token is bound to, read from the token itself as its owner may. */
async function confirmationOf(token: string | null, clientId: string, clientSecret: string): Promise<unknown> {
  const answer = await fetch(`${sandbox.issuer}/token/introspection`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ token: token ?? '' }),
  });
  return ((await answer.json()) as { cnf?: unknown }).cnf;
}

describe('tokens that are bound to a key', () => {
  it('are bound by a proof, which is made again with the nonce of the provider (R130)', async () => {
    const { clientId, clientSecret } = sandbox.clients.dpop;
    const registration = { ...aRegistration(clientId, { type: 'secret', clientSecret, method: null }), dpop: true };
    const sentAt = new Date();
    const authReqId = await startOf(registration, aRequest({ bindingMessage: 'Bound' }));
    expect((await client.poll(registration, authReqId)).kind).toBe('pending');
    await answerOnPhone('Bound', 'approve');
    const answer = await tokensOf(registration, authReqId);
    expect(answer.tokenType).toBe('DPoP');
    expect(await confirmationOf(answer.accessToken, clientId, clientSecret)).toEqual({ jkt: expect.any(String) });
    expect((await verify(registration, answer, authReqId, sentAt)).kind).toBe('verified');
  });

  it('are bound to the certificate, at the addresses for clients with one (R7, R131, R121)', async () => {
    const registration = aRegistration(sandbox.clients.tlsClientAuth.clientId, certificate('client'));
    const authReqId = await startOf(registration, aRequest({ bindingMessage: 'Certified' }));
    await answerOnPhone('Certified', 'approve');
    const { accessToken } = await tokensOf(registration, authReqId);
    const token = await sandbox.provider.AccessToken.find(accessToken ?? '');
    const { raw } = new X509Certificate(sandbox.mtls.clientCertificatePem);
    expect(token?.['x5t#S256']).toBe(createHash('sha256').update(raw).digest('base64url'));
  });

  it('are not given to a client without a proof where the provider demands one (R130)', async () => {
    const { clientId, clientSecret } = sandbox.clients.dpop;
    const registration = aRegistration(clientId, { type: 'secret', clientSecret, method: null });
    const authReqId = await startOf(registration, aRequest({ bindingMessage: 'Unbound' }));
    await answerOnPhone('Unbound', 'approve');
    expect((await client.poll(registration, authReqId)).kind).not.toBe('tokens');
  });
});

describe('authorization details (R129)', () => {
  const payment = {
    type: 'payment_initiation',
    actions: ['initiate', 'status'],
    instructedAmount: { currency: 'EUR', amount: '25.00' },
    creditorName: 'Alder & Finch',
  };
  const asking = (bindingMessage: string) => aRequest({ bindingMessage, authorizationDetails: [payment] });
  const expecting = (authReqId: string, sentAt: Date) => ({
    clientId: sandbox.clients.secretBasic.clientId,
    requestedScope: 'openid',
    sentAt,
    acrValues: [],
    expectedSubject: 'alice',
    authReqId,
    authorizationDetails: [payment],
  });

  /** The person agrees to something, by the provider's own word. */
  async function grant(authReqId: string, details: readonly object[]): Promise<void> {
    const { provider } = sandbox;
    const asked = await provider.BackchannelAuthenticationRequest.find(authReqId);
    const given = new provider.Grant({ clientId: asked!.clientId!, accountId: 'alice' });
    given.addOIDCScope('openid');
    given.addResourceScope('urn:assent:sandbox:bank', 'openid');
    await given.save();
    const authTime = Math.floor(Date.now() / 1000);
    await provider.backchannelResult(asked!, given, { authTime, rar: details as never });
  }

  it('are granted as they were asked for, by whoever agrees on the phone', async () => {
    const registration = secretRegistration();
    const sentAt = new Date();
    const authReqId = await startOf(registration, asking('Details'));
    expect((await client.poll(registration, authReqId)).kind).toBe('pending');
    await answerOnPhone('Details', 'approve');
    const answer = await tokensOf(registration, authReqId);
    expect(await client.verify(registration, answer, expecting(authReqId, sentAt), new Date())).toMatchObject({
      kind: 'verified',
    });
  });

  it.each<[string, readonly object[]]>([
    ['less of it', [{ ...payment, actions: ['status'] }]],
    ['another amount', [{ ...payment, instructedAmount: { currency: 'EUR', amount: '2500.00' } }]],
    ['another type', [{ ...payment, type: 'account_information' }]],
    ['something more', [payment, { type: 'account_information' }]],
    ['nothing of it', []],
  ])('prove nothing when %s was granted', async (what, details) => {
    const registration = secretRegistration();
    const sentAt = new Date();
    const authReqId = await startOf(registration, asking(what));
    await grant(authReqId, details);
    const answer = await tokensOf(registration, authReqId);
    expect(await client.verify(registration, answer, expecting(authReqId, sentAt), new Date())).toMatchObject({
      kind: 'rejected',
      problem: 'authorization_details',
    });
  });

  it('of a type that the client may not use are refused at the start', async () => {
    const request = aRequest({ authorizationDetails: [{ type: 'of_no_kind' }] });
    expect(await client.start(secretRegistration(), request)).toMatchObject({
      kind: 'refused',
      error: { code: 'invalid_authorization_details' },
    });
  });
});

describe('the other hints (R15, R23)', () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const hintToken = (identifier: object): string => `${part({ alg: 'none' })}.${part({ sub_id: identifier })}.`;

  it('an ID token of this provider names its subject', async () => {
    const registration = secretRegistration();
    const first = await startOf(registration, aRequest({ bindingMessage: 'To-have-a-token' }));
    await answerOnPhone('To-have-a-token', 'approve');
    const { idToken } = await tokensOf(registration, first);
    const sentAt = new Date();
    const request = aRequest({ bindingMessage: 'By-token', hintKind: 'id_token_hint', loginHint: idToken ?? '' });
    const authReqId = await startOf(registration, request);
    await answerOnPhone('By-token', 'approve');
    const answer = await tokensOf(registration, authReqId);
    expect(await verify(registration, answer, authReqId, sentAt)).toMatchObject({
      kind: 'verified',
      evidence: { subject: 'alice' },
    });
  });

  it('an ID token that is none is refused by the provider', async () => {
    const request = aRequest({ hintKind: 'id_token_hint', loginHint: 'a.b.c' });
    expect(await client.start(secretRegistration(), request)).toMatchObject({
      kind: 'refused',
      error: { code: 'invalid_request' },
    });
  });

  it.each<[string, () => object]>([
    ['a mail address', () => ({ format: 'email', email: 'alice@example.com' })],
    ['a subject', () => ({ format: 'iss_sub', iss: sandbox.issuer, sub: 'alice' })],
  ])('a hint token names a person by %s', async (what, identifier) => {
    const registration = secretRegistration();
    const sentAt = new Date();
    const bindingMessage = `By ${what}`;
    const loginHint = hintToken(identifier());
    const authReqId = await startOf(
      registration,
      aRequest({ bindingMessage, hintKind: 'login_hint_token', loginHint }),
    );
    await answerOnPhone(bindingMessage, 'approve');
    const answer = await tokensOf(registration, authReqId);
    expect((await verify(registration, answer, authReqId, sentAt)).kind).toBe('verified');
  });

  it('a hint token that names nobody is an unknown person', async () => {
    const loginHint = hintToken({ format: 'email', email: 'nobody@example.com' });
    const request = aRequest({ hintKind: 'login_hint_token', loginHint });
    expect(await client.start(secretRegistration(), request)).toMatchObject({
      kind: 'refused',
      error: { code: 'unknown_user_id' },
    });
  });
});
