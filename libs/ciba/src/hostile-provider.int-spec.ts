import { generateKeyPairSync, sign } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPair, UnsecuredJWT, type CryptoKey, type JWTPayload } from 'jose';
import {
  startScriptedProvider,
  type IdTokenOptions,
  type ScriptedProvider,
  type ScriptedReply,
} from '../../../test/support/scripted-provider.js';
import { CibaClient, type ClientRegistration, type EvidenceExpectation, type StartRequest } from './index.js';

/** What a hostile or broken provider may answer, over a real connection. Nothing in here may end in an approval. */

let provider: ScriptedProvider;
let client: CibaClient;
let registration: ClientRegistration;
let strangerKey: CryptoKey;

beforeAll(async () => {
  provider = await startScriptedProvider();
  strangerKey = (await generateKeyPair('ES256')).privateKey;
  client = new CibaClient({ allowInsecureHttp: true, timeoutMs: 5_000, pollTimeoutMs: 5_000 });
  registration = {
    key: 'rule-1.1',
    clientId: 'client-1',
    credentials: { type: 'secret', clientSecret: 'correct horse', method: null },
    provider: { id: 'op-1.1', issuer: provider.issuer, metadata: null, trustedCertificates: [], profile: 'generic' },
  };
});

beforeEach(() => {
  provider.off('token');
  provider.off('backchannel');
});

afterAll(async () => {
  await client.close();
  await provider.stop();
});

const request: StartRequest = {
  scope: 'openid payments',
  loginHint: 'alice@example.com',
  bindingMessage: null,
  requestedExpirySeconds: null,
  acrValues: [],
  authorizationDetails: null,
  userCode: null,
  clientNotificationToken: null,
};

const good = { auth_req_id: 'id-1', expires_in: 120, interval: 5 };
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const body = (text: string, more: Partial<ScriptedReply> = {}): ScriptedReply => ({ body: text, ...more });
const json = (value: unknown, more: Partial<ScriptedReply> = {}): ScriptedReply => ({ json: value, ...more });
const error = (code: unknown, status = 400, headers?: Record<string, string>): ScriptedReply => ({
  status,
  json: { error: code },
  ...(headers && { headers }),
});
const html = '<html><body>Sorry</body></html>';
const retryLater = { 'retry-after': '7' };
const challenge = { 'www-authenticate': 'Basic realm="op"' };

/** [what the provider does, what it answers, the outcome's kind] */
const startCases: [string, ScriptedReply, string][] = [
  ['auth_req_id missing', json({ expires_in: 120 }), 'provider-error'],
  ['auth_req_id empty', json({ ...good, auth_req_id: '' }), 'provider-error'],
  ['auth_req_id blank', json({ ...good, auth_req_id: '  ' }), 'provider-error'],
  ['auth_req_id a number', json({ ...good, auth_req_id: 7 }), 'provider-error'],
  ['auth_req_id null', json({ ...good, auth_req_id: null }), 'provider-error'],
  ['auth_req_id a list', json({ ...good, auth_req_id: ['id-1'] }), 'provider-error'],
  ['auth_req_id an object', json({ ...good, auth_req_id: { id: 1 } }), 'provider-error'],
  ['auth_req_id with CRLF', json({ ...good, auth_req_id: 'id\r\nx: y' }), 'provider-error'],
  ['auth_req_id with NUL', json({ ...good, auth_req_id: 'id\u0000' }), 'provider-error'],
  ['auth_req_id with a zero-width character', json({ ...good, auth_req_id: 'id\u200b1' }), 'provider-error'],
  ['auth_req_id with a bidi override', json({ ...good, auth_req_id: 'id\u202e1' }), 'provider-error'],
  ['auth_req_id with a lone surrogate', body('{"auth_req_id":"id\\ud800","expires_in":120}'), 'provider-error'],
  ['auth_req_id beyond 16 KiB', json({ ...good, auth_req_id: 'x'.repeat(16 * 1024 + 1) }), 'provider-error'],
  ['auth_req_id beyond 16 KiB in bytes', json({ ...good, auth_req_id: 'é'.repeat(9 * 1024) }), 'provider-error'],
  ['auth_req_id of a megabyte', json({ ...good, auth_req_id: 'x'.repeat(1 << 20) }), 'provider-error'],
  ['auth_req_id twice', body('{"auth_req_id":"a","auth_req_id":"b","expires_in":120}'), 'provider-error'],
  [
    'auth_req_id twice, escaped',
    body('{"auth_req_id":"a","auth_req_\\u0069d":"b","expires_in":120}'),
    'provider-error',
  ],
  ['auth_req_id inherited', body('{"__proto__":{"auth_req_id":"a"},"expires_in":120}'), 'provider-error'],
  ['expires_in missing', json({ auth_req_id: 'id-1' }), 'provider-error'],
  ['expires_in 0', json({ ...good, expires_in: 0 }), 'provider-error'],
  ['expires_in negative', json({ ...good, expires_in: -1 }), 'provider-error'],
  ['expires_in a fraction of a second', json({ ...good, expires_in: 0.5 }), 'provider-error'],
  ['expires_in infinite', body('{"auth_req_id":"a","expires_in":1e400}'), 'provider-error'],
  ['expires_in "300abc"', json({ ...good, expires_in: '300abc' }), 'provider-error'],
  ['expires_in "-5"', json({ ...good, expires_in: '-5' }), 'provider-error'],
  ['expires_in empty', json({ ...good, expires_in: '' }), 'provider-error'],
  ['expires_in null', json({ ...good, expires_in: null }), 'provider-error'],
  ['expires_in a list', json({ ...good, expires_in: [120] }), 'provider-error'],
  ['expires_in true', json({ ...good, expires_in: true }), 'provider-error'],
  ['an acknowledgement beside an error', json({ ...good, error: 'access_denied' }), 'provider-error'],
  ['an acknowledgement beside a null error', json({ ...good, error: null }), 'provider-error'],
  ['an error that is a number', error(5), 'provider-error'],
  ['an error that is empty', error(''), 'provider-error'],
  ['an error that is an object', error({ code: 'access_denied' }), 'provider-error'],
  ['200 with an error', error('unknown_user_id', 200), 'refused'],
  ['201', json(good, { status: 201 }), 'provider-error'],
  ['202', json(good, { status: 202 }), 'provider-error'],
  ['204', { status: 204, body: '' }, 'provider-error'],
  ['299', json(good, { status: 299 }), 'provider-error'],
  ['301', json(good, { status: 301, headers: { location: '/elsewhere' } }), 'provider-error'],
  ['302 with an error', error('access_denied', 302, { location: '/elsewhere' }), 'provider-error'],
  ['307', json(good, { status: 307, headers: { location: '/token' } }), 'provider-error'],
  ['308', json(good, { status: 308, headers: { location: '/backchannel' } }), 'provider-error'],
  ['400 acknowledging', json(good, { status: 400 }), 'provider-error'],
  ['400 in HTML', body(html, { status: 400, headers: { 'content-type': 'text/html' } }), 'provider-error'],
  ['401 with nothing but a challenge', { status: 401, headers: challenge, body: '' }, 'provider-error'],
  ['401 with a challenge and an error', error('invalid_client', 401, challenge), 'refused'],
  ['403 access_denied', error('access_denied', 403), 'refused'],
  ['403 in HTML', body(html, { status: 403 }), 'provider-error'],
  ['418', body('short and stout', { status: 418 }), 'provider-error'],
  ['429 with Retry-After', { status: 429, headers: retryLater, body: '' }, 'not-accepted'],
  ['429 too_many_requests', error('too_many_requests', 429, retryLater), 'not-accepted'],
  ['429 without Retry-After', body(html, { status: 429 }), 'not-accepted'],
  ['503 with Retry-After', error('temporarily_unavailable', 503, retryLater), 'not-accepted'],
  ['503 with an unreadable Retry-After', error('server_error', 503, { 'retry-after': 'soon' }), 'provider-error'],
  ['503 without Retry-After', error('server_error', 503), 'provider-error'],
  ['500', error('server_error', 500), 'provider-error'],
  ['500 in HTML', body(html, { status: 500 }), 'provider-error'],
  ['500 acknowledging', json(good, { status: 500 }), 'provider-error'],
  ['500 unknown_user_id', error('unknown_user_id', 500), 'refused'],
  ['500 with a code of its own', error('NullPointerException', 500), 'provider-error'],
  ['502 of a gateway', body(html, { status: 502 }), 'unknown'],
  ['504 of a gateway', body(html, { status: 504 }), 'unknown'],
  ['504 in JSON', error('upstream_timeout', 504), 'unknown'],
  ['server_error with 400', error('server_error', 400), 'provider-error'],
  ['a code nobody knows', error('quota_exceeded'), 'refused'],
  ['a localised code', error('accès_refusé'), 'refused'],
  ['a code with a zero-width character', error('access_denied\u200b'), 'refused'],
  ['200 in HTML', body(html), 'provider-error'],
  ['200 empty', body(''), 'provider-error'],
  ['200 null', body('null'), 'provider-error'],
  ['200 a list', json([good]), 'provider-error'],
  ['200 a string', json('id-1'), 'provider-error'],
  ['200 in UTF-16', { body: Buffer.from(JSON.stringify(good), 'utf16le') }, 'provider-error'],
  [
    '200 in invalid UTF-8',
    {
      body: Buffer.concat([
        Buffer.from('{"auth_req_id":"'),
        Buffer.from([0xff, 0xfe]),
        Buffer.from('","expires_in":9}'),
      ]),
    },
    'provider-error',
  ],
  ['200 truncated', body(JSON.stringify(good).slice(0, -1)), 'provider-error'],
  ['200 with trailing junk', body(`${JSON.stringify(good)};`), 'provider-error'],
  ['200 twice', body(JSON.stringify(good).repeat(2)), 'provider-error'],
  ['200 with a comment', body(`/* */${JSON.stringify(good)}`), 'provider-error'],
  ['200 nested too deep', body(`{"auth_req_id":"a","expires_in":9,"x":${nested(20)}}`), 'provider-error'],
  ['200 nested a hundred thousand deep', body(`{"x":${nested(100_000)}}`), 'provider-error'],
  ['200 of a megabyte', json({ ...good, padding: 'x'.repeat(1 << 20) }), 'provider-error'],
  [
    'a gzip bomb',
    { body: gzipSync(JSON.stringify({ ...good, x: 'x'.repeat(1 << 20) })), headers: { 'content-encoding': 'gzip' } },
    'provider-error',
  ],
  ['gzip that is none', json(good, { headers: { 'content-encoding': 'gzip' } }), 'provider-error'],
  ['an encoding nobody knows', json(good, { headers: { 'content-encoding': 'rot13' } }), 'provider-error'],
  ['a body cut in the middle', json(good, { cutAfterBytes: 10 }), 'unknown'],
  ['headers and then the end', json(good, { cutAfterBytes: 0 }), 'unknown'],
  ['an error cut in the middle', { ...error('access_denied'), cutAfterBytes: 12 }, 'unknown'],
  ['no answer at all', { reset: true }, 'unknown'],
  ['bytes that are not HTTP', { rawBytes: 'SSH-2.0-OpenSSH_9.2\r\n' }, 'unknown'],
  ['two lengths', { rawBytes: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 40\r\n\r\n{}' }, 'unknown'],
];

describe('a start call answered with', () => {
  it.each(startCases)('%s', async (_what, reply, kind) => {
    provider.on('backchannel', () => reply);
    const before = provider.ledger.length;
    expect((await client.start(registration, request)).kind).toBe(kind);
    expect(provider.ledger.slice(before).filter((call) => call.endpoint !== 'discovery')).toHaveLength(1);
  });

  it('something unusual that is in order', async () => {
    const answers: [ScriptedReply, object][] = [
      [json({ ...good, interval: 0 }), { intervalSeconds: 5 }],
      [json({ ...good, interval: -5 }), { intervalSeconds: 5 }],
      [json({ ...good, interval: 'often' }), { intervalSeconds: 5 }],
      [json({ ...good, interval: null }), { intervalSeconds: 5 }],
      [json({ ...good, interval: 0.0001 }), { intervalSeconds: 1 }],
      [json({ ...good, interval: 1.5 }), { intervalSeconds: 2 }],
      [json({ ...good, interval: '7' }), { intervalSeconds: 7 }],
      [json({ ...good, interval: 1e9 }), { intervalSeconds: 86_400 }],
      [json({ ...good, expires_in: '60' }), { expiresInSeconds: 60 }],
      [json({ ...good, expires_in: 1e15 }), { expiresInSeconds: 2_592_000 }],
      [json({ ...good, auth_url: 'https://op.example/x', constructor: { prototype: 1 } }), { authReqId: 'id-1' }],
      [json({ ...good, auth_req_id: 'a b+c&d=é"\\/%20' }), { authReqId: 'a b+c&d=é"\\/%20' }],
      [json({ ...good, auth_req_id: 'x'.repeat(16 * 1024) }), { authReqId: 'x'.repeat(16 * 1024) }],
      [json(good, { headers: { 'content-type': 'text/html' } }), { authReqId: 'id-1' }],
      [body(`\ufeff${JSON.stringify(good)}`), { authReqId: 'id-1' }],
      [{ body: gzipSync(JSON.stringify(good)), headers: { 'content-encoding': 'gzip' } }, { authReqId: 'id-1' }],
    ];
    for (const [reply, expected] of answers) {
      provider.on('backchannel', () => reply);
      expect(await client.start(registration, request)).toMatchObject({ kind: 'acknowledged', ...expected });
    }
  });

  it('an error whose text must be cleaned', async () => {
    provider.on('backchannel', () =>
      json({ error: 'access_denied\u200b', error_description: `a\u0007b\u202e${'x'.repeat(500)}` }, { status: 400 }),
    );
    const outcome = await client.start(registration, request);
    expect(outcome).toEqual({
      kind: 'refused',
      error: { code: 'access_denied\uFFFD', description: `a\uFFFDb\uFFFD${'x'.repeat(195)}…` },
    });
  });
});

type Tokens = Record<string, unknown>;
/** Changes one thing in a token answer that is in order otherwise. */
type Forge = (tokens: Tokens) => ScriptedReply | Promise<ScriptedReply>;

const inOrder = { acr: 'urn:phishing-resistant' };
const nowSeconds = () => Math.floor(Date.now() / 1000);
const members =
  (change: Tokens): Forge =>
  (tokens) =>
    json({ ...tokens, ...change });
const claims =
  (change: JWTPayload, options?: IdTokenOptions): Forge =>
  async (tokens) =>
    json({ ...tokens, id_token: await provider.idToken({ ...inOrder, ...change }, options) });
const headers = (header: Record<string, unknown>): Forge => claims({}, { header });
const plainly =
  (reply: ScriptedReply): Forge =>
  () =>
    reply;
const text =
  (change: (json: string) => string): Forge =>
  (tokens) =>
    body(change(JSON.stringify(tokens)));
const idTokenText =
  (change: (idToken: string) => string): Forge =>
  (tokens) =>
    json({ ...tokens, id_token: change(String(tokens['id_token'])) });
const base64 = (value: string) => Buffer.from(value).toString('base64url');
const part = (index: number, change: (part: string) => string) => (idToken: string) =>
  idToken
    .split('.')
    .map((value, position) => (position === index ? change(value) : value))
    .join('.');

/** [what the provider does, how, the outcome's kind or the problem that verification finds] */
const tokenCases: [string, Forge, string][] = [
  ['no ID token', members({ id_token: undefined }), 'id_token_missing'],
  ['an ID token that is null', members({ id_token: null }), 'id_token_missing'],
  ['an ID token that is empty', members({ id_token: '' }), 'id_token_missing'],
  ['an ID token that is an object', members({ id_token: { sub: 'alice' } }), 'id_token_missing'],
  ['an ID token that is a list', members({ id_token: ['a.b.c'] }), 'id_token_missing'],
  ['an opaque ID token', members({ id_token: 'opaque' }), 'id_token_malformed'],
  ['an ID token of four parts', idTokenText((token) => `${token}.e30`), 'id_token_malformed'],
  ['an ID token that is encrypted, to nobody', members({ id_token: 'a.b.c.d.e' }), 'encryption'],
  ['an ID token in plain base64', idTokenText((token) => `${token}=`), 'id_token_malformed'],
  ['an ID token without a signature', idTokenText(part(2, () => '')), 'id_token_malformed'],
  ['claims that are not JSON', idTokenText(part(1, () => base64('{'))), 'id_token_malformed'],
  ['claims that are a list', idTokenText(part(1, () => base64('[]'))), 'id_token_malformed'],
  ['claims with a name twice', idTokenText(part(1, () => base64('{"sub":"a","sub":"b"}'))), 'id_token_malformed'],
  ['claims with __proto__', idTokenText(part(1, () => base64('{"__proto__":{}}'))), 'id_token_malformed'],
  ['alg none', (tokens) => json({ ...tokens, id_token: `${new UnsecuredJWT({ sub: 'x' }).encode()}AA` }), 'algorithm'],
  ['alg none in capitals', idTokenText(part(0, () => base64('{"alg":"NONE"}'))), 'algorithm'],
  ['alg missing', idTokenText(part(0, () => base64('{"kid":"a"}'))), 'algorithm'],
  ['alg a list', idTokenText(part(0, () => base64('{"alg":["ES256"]}'))), 'algorithm'],
  [
    'HS256 with the client secret',
    claims({}, { header: { alg: 'HS256' }, key: Buffer.from('correct horse') }),
    'algorithm',
  ],
  ['ES384, which nobody announced', idTokenText(part(0, () => base64('{"alg":"ES384"}'))), 'algorithm'],
  ['another algorithm than the key has', idTokenText(part(0, () => base64('{"alg":"RS256"}'))), 'keys-unavailable'],
  ['a critical header', idTokenText(part(0, () => base64('{"alg":"ES256","crit":["exp"],"exp":1}'))), 'header'],
  ['b64', headers({ b64: true }), 'header'],
  ['jku', headers({ jku: 'https://evil.example/jwks' }), 'header'],
  ['x5u', headers({ x5u: 'https://evil.example/cert' }), 'header'],
  ['a key in the header', headers({ jwk: { kty: 'EC' } }), 'header'],
  ['zip', headers({ zip: 'DEF' }), 'header'],
  ['an access token as ID token', headers({ typ: 'at+jwt' }), 'token_type'],
  ['an access token with its long type', headers({ typ: 'application/at+jwt' }), 'token_type'],
  ['a logout token as ID token', headers({ typ: 'logout+jwt' }), 'token_type'],
  ['a type that is a number', headers({ typ: 1 }), 'token_type'],
  [
    "a stranger's signature",
    async (tokens) => json({ ...tokens, id_token: await provider.idToken({}, { key: strangerKey }) }),
    'signature',
  ],
  [
    "a stranger's certificate in the header",
    async (tokens) =>
      json({ ...tokens, id_token: await provider.idToken({}, { key: strangerKey, header: { x5c: ['MIIB'] } }) }),
    'signature',
  ],
  ['a signature of zeros', idTokenText(part(2, () => base64('\0'.repeat(64)))), 'signature'],
  ['a signature cut short', idTokenText(part(2, (signature) => signature.slice(0, 40))), 'signature'],
  ['claims changed after signing', idTokenText(part(1, () => base64('{"sub":"mallory"}'))), 'signature'],
  ['a key that is not published', claims({}, { header: { kid: 'nobody' } }), 'keys-unavailable'],
  ['a kid that is a path', claims({}, { header: { kid: '../../etc/passwd' } }), 'keys-unavailable'],
  ['another issuer', claims({ iss: 'https://evil.example' }), 'issuer'],
  ['no issuer', claims({ iss: undefined }), 'issuer'],
  ['the issuer with a slash', (tokens) => claims({ iss: `${provider.issuer}/` })(tokens), 'issuer'],
  ['the issuer in capitals', (tokens) => claims({ iss: provider.issuer.toUpperCase() })(tokens), 'issuer'],
  ['the issuer at another port', claims({ iss: 'http://127.0.0.1:1' }), 'issuer'],
  ['the issuer in a list', (tokens) => claims({ iss: [provider.issuer] as unknown as string })(tokens), 'issuer'],
  ['another audience', claims({ aud: 'client-2' }), 'audience'],
  ['no audience', claims({ aud: undefined }), 'audience'],
  ['an empty list of audiences', claims({ aud: [] }), 'audience'],
  ['a second audience', claims({ aud: ['client-1', 'client-2'], azp: 'client-1' }), 'audience'],
  ['a part of the audience', claims({ aud: 'client-1 ' }), 'audience'],
  ['another authorized party', claims({ azp: 'client-2' }), 'authorized_party'],
  ['an authorized party that is null', claims({ azp: null }), 'authorized_party'],
  ['no subject', claims({ sub: undefined }), 'subject'],
  ['an empty subject', claims({ sub: '' }), 'subject'],
  ['a blank subject', claims({ sub: ' ' }), 'subject'],
  ['a subject that is an object', claims({ sub: {} as string }), 'subject'],
  ['a subject that is a number', claims({ sub: 7 as unknown as string }), 'subject'],
  ['a subject of 256 characters', claims({ sub: 'x'.repeat(256) }), 'subject'],
  ['a subject with a line break', claims({ sub: 'alice\n' }), 'subject'],
  ['another subject', claims({ sub: 'mallory' }), 'subject_mismatch'],
  ['a subject that only looks alike', claims({ sub: 'pеrson-1' }), 'subject_mismatch'],
  ['a subject in capitals', claims({ sub: 'Person-1' }), 'subject_mismatch'],
  ['no expiry', claims({ exp: undefined }), 'expiry'],
  ['an expiry that is text', claims({ exp: '9999999999' as unknown as number }), 'expiry'],
  ['an expired ID token', (tokens) => claims({ exp: nowSeconds() - 120 })(tokens), 'expired'],
  ['an ID token for tomorrow', (tokens) => claims({ nbf: nowSeconds() + 86_400 })(tokens), 'not_yet_valid'],
  ['a not-before that is text', claims({ nbf: 'now' as unknown as number }), 'not_yet_valid'],
  ['no time of issue', claims({ iat: undefined }), 'issued_at'],
  ['a time of issue that is text', claims({ iat: 'now' as unknown as number }), 'issued_at'],
  ['an ID token of last week', (tokens) => claims({ iat: nowSeconds() - 604_800 })(tokens), 'issued_before_request'],
  ['an ID token an hour ahead', (tokens) => claims({ iat: nowSeconds() + 3_600 })(tokens), 'issued_in_future'],
  ['an authentication in the future', (tokens) => claims({ auth_time: nowSeconds() + 3_600 })(tokens), 'auth_time'],
  ['an authentication that is text', claims({ auth_time: 'today' }), 'auth_time'],
  [
    'an authentication of last year',
    (tokens) => claims({ auth_time: nowSeconds() - 31_536_000 })(tokens),
    'authenticated_before_request',
  ],
  ['no acr', claims({ acr: undefined }), 'acr'],
  ['a lower acr', claims({ acr: 'urn:password' }), 'acr'],
  ['a list of acr', claims({ acr: ['urn:phishing-resistant'] }), 'acr'],
  ['a narrower scope', members({ scope: 'openid' }), 'scope'],
  ['an empty scope', members({ scope: '' }), 'scope'],
  ['a scope that is a list', members({ scope: ['openid', 'payments'] }), 'scope'],
  ['a scope that is null', members({ scope: null }), 'scope'],
  ['a scope with another separator', members({ scope: 'openid,payments' }), 'scope'],
  ['a wrong at_hash', claims({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }), 'at_hash'],
  ['an at_hash that is null', claims({ at_hash: null }), 'at_hash'],
  ['the ID token of another request', claims({ 'urn:openid:params:jwt:claim:auth_req_id': 'other' }), 'auth_req_id'],
  ['no access token', members({ access_token: undefined }), 'access_token_missing'],
  ['an access token that is a number', members({ access_token: 1 }), 'access_token_missing'],
  ['no token type', members({ token_type: undefined }), 'access_token_missing'],
  ['201', (tokens) => json(tokens, { status: 201 }), 'lost'],
  ['202', (tokens) => json(tokens, { status: 202 }), 'lost'],
  ['206', (tokens) => json(tokens, { status: 206 }), 'lost'],
  ['302', (tokens) => json(tokens, { status: 302, headers: { location: '/token' } }), 'lost'],
  ['400', (tokens) => json(tokens, { status: 400 }), 'lost'],
  ['500', (tokens) => json(tokens, { status: 500 }), 'lost'],
  ['503', (tokens) => json(tokens, { status: 503 }), 'unavailable'],
  ['an error beside them', members({ error: 'authorization_pending' }), 'lost'],
  ['an empty error beside them', members({ error: '' }), 'lost'],
  ['a member twice', text((answer) => answer.replace('{', '{"id_token":"a.b.c",')), 'lost'],
  ['__proto__ beside them', text((answer) => answer.replace('{', '{"__proto__":{"error":null},')), 'lost'],
  ['trailing junk', text((answer) => `${answer}}`), 'lost'],
  ['a list around them', (tokens) => json([tokens]), 'lost'],
  ['a megabyte around them', members({ padding: 'x'.repeat(1 << 20) }), 'lost'],
  ['a body cut in the middle', (tokens) => json(tokens, { cutAfterBytes: 40 }), 'lost'],
  ['nothing but an empty object', plainly(json({})), 'lost'],
  ['an empty body', plainly(body('')), 'lost'],
  ['HTML', plainly(body(html)), 'lost'],
  ['no answer at all', plainly({ reset: true }), 'lost'],
  ['bytes that are not HTTP', plainly({ rawBytes: '\0\0\0' }), 'lost'],
  ['400 in HTML', plainly(body(html, { status: 400 })), 'lost'],
  ['401 with nothing but a challenge', plainly({ status: 401, headers: challenge, body: '' }), 'lost'],
  ['500 in HTML', plainly(body(html, { status: 500 })), 'lost'],
  ['500 server_error', plainly(error('server_error', 500)), 'lost'],
  ['502', plainly(body(html, { status: 502 })), 'lost'],
  ['504', plainly(body(html, { status: 504 })), 'lost'],
  ['429 with Retry-After', plainly({ status: 429, headers: retryLater, body: '' }), 'throttled'],
  ['429 without Retry-After', plainly(error('too_many_requests', 429)), 'unavailable'],
  ['503 with Retry-After', plainly({ status: 503, headers: retryLater, body: html }), 'throttled'],
  ['503 server_error', plainly(error('server_error', 503)), 'unavailable'],
  ['400 temporarily_unavailable', plainly(error('temporarily_unavailable')), 'unavailable'],
  ['pending with a challenge', plainly(error('authorization_pending', 401, challenge)), 'pending'],
  ['pending with 200', plainly(error('authorization_pending', 200)), 'pending'],
  ['pending with 500', plainly(error('authorization_pending', 500)), 'pending'],
  ['pending in capitals', plainly(error('AUTHORIZATION_PENDING')), 'refused'],
  ['slow_down with 429', plainly(error('slow_down', 429, retryLater)), 'slow-down'],
  ['access_denied with 403', plainly(error('access_denied', 403)), 'denied'],
  ['access_denied that only looks like it', plainly(error('access_denied\u200b')), 'refused'],
  ['expired_token', plainly(error('expired_token')), 'expired'],
  ['invalid_grant', plainly(error('invalid_grant')), 'invalid-grant'],
  ['invalid_client with a challenge', plainly(error('invalid_client', 401, challenge)), 'refused'],
  ['transaction_failed', plainly(error('transaction_failed')), 'refused'],
  ['a code nobody knows', plainly(error('quota_exceeded')), 'refused'],
  ['an error that is a number', plainly(error(5)), 'lost'],
  ['an error that is null', plainly(error(null)), 'lost'],
];

describe('a poll answered with tokens and', () => {
  const scope = 'openid payments';
  const expectation = (): EvidenceExpectation => ({
    clientId: 'client-1',
    requestedScope: scope,
    sentAt: new Date(),
    acrValues: ['urn:phishing-resistant'],
    expectedSubject: 'person-1',
    authReqId: 'id-1',
  });

  async function pollAndVerify(forge: Forge): Promise<string> {
    provider.on('token', async () =>
      forge({ access_token: 'at', token_type: 'Bearer', scope, id_token: await provider.idToken(inOrder) }),
    );
    const outcome = await client.poll(registration, 'id-1');
    if (outcome.kind !== 'tokens') return outcome.kind;
    const verdict = await client.verify(registration, outcome.answer, expectation(), new Date());
    return verdict.kind === 'rejected' ? verdict.problem : verdict.kind;
  }

  it('nothing wrong, which is verified: the cases below fail for what they change', async () => {
    expect(await pollAndVerify(members({}))).toBe('verified');
  });

  it.each(tokenCases)('%s', async (_what, forge, expected) => {
    expect(expected).not.toBe('verified');
    expect(await pollAndVerify(forge)).toBe(expected);
  });

  it('a weak key', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const weak = { ...publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256', use: 'sig' };
    provider.on('jwks', () => json({ keys: [weak] }));
    const stranger = { ...registration, provider: { ...registration.provider, id: 'op-weak' } };
    const [head, payload] = [{ alg: 'RS256', kid: 'weak' }, { sub: 'person-1' }].map((value) =>
      base64(JSON.stringify(value)),
    );
    const signature = sign('sha256', Buffer.from(`${head}.${payload}`), privateKey).toString('base64url');
    const answer = {
      accessToken: 'at',
      tokenType: 'Bearer',
      expiresInSeconds: null,
      scope,
      idToken: `${head}.${payload}.${signature}`,
      refreshToken: null,
      authorizationDetails: null,
    };
    const verdict = await client.verify(stranger, answer, expectation(), new Date());
    provider.off('jwks');
    expect(verdict.kind).toBe('keys-unavailable');
  });
});

it('has enough cases, each of its own', () => {
  for (const cases of [startCases, tokenCases]) {
    expect(cases.length).toBeGreaterThanOrEqual(60);
    expect(new Set(cases.map(([what]) => what)).size).toBe(cases.length);
  }
});
