import type { Reply } from './reply.js';

/** What a hostile provider can use to make its answers. */
export interface HostileTools {
  readonly clientId: string;
  /** A token answer that would be in order, but for what is changed. */
  tokens(change?: TokenChange): Promise<Record<string, unknown>>;
}

export interface TokenChange {
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Signs with a key that nobody has published, or not at all. */
  readonly signature?: 'foreign' | 'none' | 'spoiled';
  readonly members?: Readonly<Record<string, unknown>>;
}

/** One way to misbehave; it does not wait for the person. */
export interface Misbehaviour {
  readonly name: string;
  readonly says: string;
  /** Replaces the acknowledgement. */
  readonly start?: (acknowledgement: Readonly<Record<string, unknown>>) => Reply;
  /** Replaces the answer to every poll. */
  readonly token?: (tools: HostileTools) => Reply | Promise<Reply>;
}

const error = (code: string, more: object = {}, status = 400): Reply => ({ status, json: { error: code, ...more } });
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

const starts: Readonly<Record<string, readonly [says: string, start: NonNullable<Misbehaviour['start']>]>> = {
  'no-id': ['acknowledges without an auth_req_id', ({ expires_in }) => ({ json: { expires_in } })],
  'id-is-a-number': ['the auth_req_id is a number', (ok) => ({ json: { ...ok, auth_req_id: 42 } })],
  'huge-id': [
    'the auth_req_id has 100,000 characters',
    (ok) => ({ json: { ...ok, auth_req_id: 'x'.repeat(100_000) } }),
  ],
  'id-with-line-breaks': ['the auth_req_id has line breaks', (ok) => ({ json: { ...ok, auth_req_id: 'a\r\nb: c' } })],
  'same-id': ['gives everybody the same auth_req_id', (ok) => ({ json: { ...ok, auth_req_id: 'always-the-same' } })],
  'no-expiry': ['acknowledges without expires_in', ({ auth_req_id }) => ({ json: { auth_req_id } })],
  'negative-expiry': ['expires_in is negative', (ok) => ({ json: { ...ok, expires_in: -5 } })],
  'start-html': [
    'acknowledges with a web page',
    () => ({ body: '<!doctype html><p>Welcome', headers: { 'content-type': 'text/html' } }),
  ],
  'start-redirect': ['redirects the start call', () => ({ status: 307, headers: { location: '/phone' } })],
  'error-and-id': ['an error beside the auth_req_id', (ok) => ({ json: { ...ok, error: 'access_denied' } })],
  'twice-the-id': [
    'the auth_req_id stands twice',
    (ok) => ({ body: `{"auth_req_id":"a","auth_req_id":"b","expires_in":${String(ok['expires_in'])}}` }),
  ],
  'start-cut': ['cuts the connection in the acknowledgement', (ok) => ({ json: ok, cut: true })],
  'start-silent': ['never answers the start call', () => ({ silent: true })],
  'start-502': ['a gateway answers the start call', () => ({ status: 502, body: 'Bad gateway' })],
};

const spoiled = (change: TokenChange) => async (tools: HostileTools) => ({ json: await tools.tokens(change) });
const claims = (change: Record<string, unknown>) => spoiled({ claims: change });

const tokens: Readonly<Record<string, readonly [says: string, token: NonNullable<Misbehaviour['token']>]>> = {
  unsigned: ['an ID token with alg none', spoiled({ signature: 'none' })],
  'foreign-key': ['an ID token signed with an unpublished key', spoiled({ signature: 'foreign' })],
  'spoiled-signature': ['an ID token with a broken signature', spoiled({ signature: 'spoiled' })],
  'other-issuer': ['an ID token of another issuer', claims({ iss: 'https://other.example' })],
  'other-audience': ['an ID token for another client', claims({ aud: 'somebody-else' })],
  'extra-audience': [
    'an ID token for another client too',
    async (tools) => claims({ aud: [tools.clientId, 'x'] })(tools),
  ],
  'other-party': ['an ID token issued to another client', claims({ azp: 'somebody-else' })],
  'no-subject': ['an ID token about nobody', claims({ sub: '' })],
  'old-token': ['an ID token from last week', claims({ iat: nowSeconds() - 604_800, auth_time: undefined })],
  'expired-token': ['an ID token that has expired', async (tools) => claims({ exp: nowSeconds() - 3600 })(tools)],
  'token-of-tomorrow': ['an ID token from tomorrow', async (tools) => claims({ iat: nowSeconds() + 86_400 })(tools)],
  'old-authentication': [
    'the person authenticated an hour ago',
    async (tools) => claims({ auth_time: nowSeconds() - 3600 })(tools),
  ],
  'other-request': [
    'an ID token for another request',
    claims({ 'urn:openid:params:jwt:claim:auth_req_id': 'another' }),
  ],
  'other-access-token': ['an at_hash that does not fit', claims({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' })],
  'no-id-token': ['tokens without an ID token', spoiled({ members: { id_token: undefined } })],
  'no-access-token': ['tokens without an access token', spoiled({ members: { access_token: undefined } })],
  'narrower-scope': ['grants less than was asked for', spoiled({ members: { scope: 'email' } })],
  'error-and-tokens': ['an error beside the tokens', spoiled({ members: { error: 'authorization_pending' } })],
  'tokens-with-201': ['tokens with status 201', async (tools) => ({ status: 201, json: await tools.tokens() })],
  'token-html': [
    'answers polls with a web page',
    () => ({ body: '<!doctype html>', headers: { 'content-type': 'text/html' } }),
  ],
  'token-redirect': ['redirects polls', () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' } })],
  'token-cut': ['cuts the connection in the tokens', async (tools) => ({ json: await tools.tokens(), cut: true })],
  'token-silent': ['never answers a poll', () => ({ silent: true })],
  'token-huge': [
    'answers polls with 1 MB',
    () => ({ json: { error: 'authorization_pending', x: 'x'.repeat(1_000_000) } }),
  ],
  'invisible-error': ['access_denied with an invisible character', () => error('access_denied\u200b')],
  'error-is-a-list': ['the error is a list', () => error(['authorization_pending'] as unknown as string)],
  'slow-down-forever': ['nothing but slow_down', () => error('slow_down')],
  'retry-tomorrow': ['503 and Retry-After of a day', () => ({ status: 503, headers: { 'retry-after': '86400' } })],
  'unknown-error': ['an error that nobody knows', () => error('transaction_eaten_by_a_dog')],
};

/** Everything that the hostile persona can do, by name. */
export const misbehaviours: readonly Misbehaviour[] = [
  ...Object.entries(starts).map(([name, [says, start]]) => ({ name, says, start })),
  ...Object.entries(tokens).map(([name, [says, token]]) => ({ name, says, token })),
];
