import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { problem, problems, type ProblemCode, type Rule } from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ruleBody, RulesHouse } from '../../../test/support/rules-house.js';

let house: RulesHouse;
let rule: Rule;
beforeAll(async () => {
  house = await RulesHouse.open();
  rule = await house.rule({ name: 'Approve' });
});
afterAll(() => house.close());

const tables = [
  'authorization_requests',
  'rules',
  'rule_versions',
  'token_providers',
  'key_pairs',
  'rejection_handlers',
  'webhook_endpoints',
  'api_clients',
  'outbox',
];
/** How many rows there are of everything. */
const stored = async (): Promise<object> => {
  const counts = tables.map((table) => `(select count(*) from ${table}) as ${table}`).join(', ');
  return (await house.query(`select ${counts}`))[0]!;
};
const send = async (method: string, path: string, body?: string | Buffer, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${house.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${house.apiKey}`, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body }),
  });
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
};
// What a stack trace, a statement or a path on our disk looks like.
const leak = /\bat .*\.[jt]s:\d|node_modules|select |insert |duplicate key|\/work\/|pg_|typeorm|zod/i;

async function expectRefused(
  answer: { status: number; type: string | null; text: string },
  expected: { status: number; code?: string },
): Promise<void> {
  expect(answer).toMatchObject({ status: expected.status, type: 'application/problem+json; charset=utf-8' });
  const document = problem.parse(JSON.parse(answer.text));
  expect(document).toMatchObject({ ...expected, type: `/docs/errors/${document.code}` });
  expect(Object.keys(problems)).toContain(document.code);
  expect(problems[document.code as ProblemCode].status).toBe(answer.status);
  expect(answer.text).not.toMatch(leak);
}

const requests = '/v1/authorization-requests';
const submission = (over: object = {}) => ({ rule: 'Approve', attributes: { email: 'a@example.com' }, ...over });
const email = (value: unknown) => submission({ attributes: { email: value } });
const nested = (depth: number) => `{"rule":${'['.repeat(depth)}${']'.repeat(depth)}}`;

describe('a submission', () => {
  const cases: readonly (readonly [string, unknown, number, string])[] = [
    ['null', null, 422, 'invalid_body'],
    ['an array', [], 422, 'invalid_body'],
    ['a text', 'text', 422, 'invalid_body'],
    ['a number', 1, 422, 'invalid_body'],
    ['an empty object', {}, 422, 'invalid_body'],
    ['no rule', { attributes: {} }, 422, 'invalid_body'],
    ['no attributes', { rule: 'Approve' }, 422, 'invalid_body'],
    ['a rule that is no text', submission({ rule: 7 }), 422, 'invalid_body'],
    ['an empty rule', submission({ rule: '' }), 422, 'invalid_body'],
    ['a long rule', submission({ rule: 'r'.repeat(65) }), 422, 'invalid_body'],
    ['an array of rules', submission({ rule: ['Approve'] }), 422, 'invalid_body'],
    ['an unknown rule', submission({ rule: `'; drop table rules; --` }), 422, 'unknown_rule'],
    ['a rule named like a prototype', submission({ rule: '__proto__' }), 422, 'unknown_rule'],
    ['an unknown member', submission({ admin: true }), 422, 'invalid_body'],
    ['a member of the answer', submission({ status: 'approved' }), 422, 'invalid_body'],
    ['an id', submission({ id: randomUUID() }), 422, 'invalid_body'],
    ['attributes that are an array', submission({ attributes: [] }), 422, 'invalid_body'],
    ['attributes that are null', submission({ attributes: null }), 422, 'invalid_body'],
    ['attributes that are a text', submission({ attributes: 'email' }), 422, 'invalid_body'],
    ['an attribute that is null', email(null), 422, 'invalid_body'],
    ['an attribute that is an object', email({}), 422, 'invalid_body'],
    ['an attribute that is an array', email(['a']), 422, 'invalid_body'],
    ['a long attribute', email('a'.repeat(4097)), 422, 'invalid_body'],
    ['a long attribute name', submission({ attributes: { ['a'.repeat(65)]: 1 } }), 422, 'invalid_body'],
    ['an attribute without a name', submission({ attributes: { '': 1, email: 'a' } }), 422, 'invalid_body'],
    [
      '65 attributes',
      submission({ attributes: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`a${n}`, n])) }),
      422,
      'invalid_body',
    ],
    ['an empty login hint', email(''), 422, 'login_hint_missing'],
    ['a blank login hint', email(' \t\n'), 422, 'login_hint_missing'],
    ['the hint under another case', submission({ attributes: { Email: 'a' } }), 422, 'login_hint_missing'],
    ['an empty binding message', submission({ bindingMessage: '' }), 422, 'invalid_body'],
    ['a long binding message', submission({ bindingMessage: 'b'.repeat(1001) }), 422, 'invalid_body'],
    ['a binding message that is no text', submission({ bindingMessage: 1 }), 422, 'invalid_body'],
    ['an empty user code', submission({ userCode: '' }), 422, 'invalid_body'],
    ['a long user code', submission({ userCode: 'u'.repeat(257) }), 422, 'invalid_body'],
    ['metadata that are numbers', submission({ metadata: { a: 1 } }), 422, 'invalid_body'],
    ['long metadata', submission({ metadata: { a: 'x'.repeat(1025) } }), 422, 'invalid_body'],
    ['nested metadata', submission({ metadata: { a: { b: 'c' } } }), 422, 'invalid_body'],
    ['a callback without a scheme', submission({ callbackUrl: 'shop.example/cb' }), 422, 'invalid_body'],
    ['a callback that is a script', submission({ callbackUrl: 'javascript:alert(1)' }), 422, 'invalid_body'],
    ['a callback that is a file', submission({ callbackUrl: 'file:///etc/passwd' }), 422, 'invalid_body'],
    ['a callback with a password', submission({ callbackUrl: 'https://a:b@shop.example/' }), 422, 'invalid_body'],
    ['a callback with a fragment', submission({ callbackUrl: 'https://shop.example/#x' }), 422, 'invalid_body'],
    ['a long callback', submission({ callbackUrl: `https://shop.example/${'x'.repeat(2048)}` }), 422, 'invalid_body'],
    ['a callback that is no text', submission({ callbackUrl: {} }), 422, 'invalid_body'],
    ...[
      'https://10.0.0.1/',
      'https://192.168.0.1/',
      'https://169.254.169.254/latest/meta-data',
      'https://0xa9fea9fe/',
      'https://2852039166/',
      'https://0251.0376.0251.0376/',
      'https://100.64.0.1/',
      'https://0.0.0.0/',
      'https://[fe80::1]/',
      'https://[fd00::1]/',
      'https://[::ffff:10.0.0.1]/',
      'https://[64:ff9b::a00:1]/',
    ].map((url) => [`a callback to ${url}`, submission({ callbackUrl: url }), 422, 'callback_url_refused'] as const),
  ];

  it.each(cases)('with %s is refused', async (_, body, status, code) => {
    const before = await stored();
    await expectRefused(await send('POST', requests, JSON.stringify(body)), { status, code });
    expect(await stored()).toEqual(before);
  });
});

describe('a body', () => {
  const huge = JSON.stringify(submission({ metadata: { a: 'x'.repeat(1_000_000) } }));
  const cases: readonly (readonly [string, string | Buffer, number, string, Record<string, string>?])[] = [
    ['that is cut off', '{"rule":"Approve","attr', 400, 'malformed_body'],
    ['that is empty', '', 422, 'invalid_body'],
    ['of blanks', '  \n ', 400, 'malformed_body'],
    ['with a trailing comma', '{"rule":"Approve",}', 400, 'malformed_body'],
    ['with a comment', '{/* */}', 400, 'malformed_body'],
    ['with single quotes', "{'rule':'Approve'}", 400, 'malformed_body'],
    ['with NaN', '{"rule":NaN}', 400, 'malformed_body'],
    ['of two values', '{}{}', 400, 'malformed_body'],
    ['in UTF-16', Buffer.from('{"rule":"Approve"}', 'utf16le'), 400, 'malformed_body'],
    ['with a number beyond all', '{"rule":"Approve","attributes":{"email":1e400}}', 422, 'invalid_body'],
    ['with __proto__', '{"__proto__":{"admin":true},"rule":"Approve","attributes":{"email":"a"}}', 422, 'invalid_body'],
    ['with an inner __proto__', '{"rule":"Approve","attributes":{"__proto__":"a","email":"a"}}', 422, 'invalid_body'],
    ['with a constructor', '{"rule":"Approve","attributes":{"constructor":"a","email":"a"}}', 422, 'invalid_body'],
    [
      'with a prototype',
      '{"rule":"Approve","attributes":{"email":"a"},"metadata":{"prototype":"x"}}',
      422,
      'invalid_body',
    ],
    ['with NUL', '{"rule":"Approve\\u0000","attributes":{"email":"a"}}', 422, 'invalid_body'],
    [
      'with NUL in metadata',
      '{"rule":"Approve","attributes":{"email":"a"},"metadata":{"a":"\\u0000"}}',
      422,
      'invalid_body',
    ],
    ['with NUL in a name', '{"rule":"Approve","attributes":{"email":"a","\\u0000":"a"}}', 422, 'invalid_body'],
    ['with a lone surrogate', '{"rule":"Approve","attributes":{"email":"\\ud800"}}', 422, 'invalid_body'],
    ['with half an emoji as a name', '{"rule":"Approve","attributes":{"email":"a","\\udc00":1}}', 422, 'invalid_body'],
    ['that is deep', nested(30), 422, 'invalid_body'],
    ['that is bottomless', nested(60_000), 422, 'invalid_body'],
    ['of 1 MB', huge, 413, 'body_too_large'],
    ['of 1 MB that is no JSON', 'x'.repeat(1_000_000), 413, 'body_too_large'],
    [
      'of a form',
      'rule=Approve',
      415,
      'unsupported_media_type',
      { 'content-type': 'application/x-www-form-urlencoded' },
    ],
    ['of plain text', '{}', 415, 'unsupported_media_type', { 'content-type': 'text/plain' }],
    ['of XML', '<a/>', 415, 'unsupported_media_type', { 'content-type': 'application/xml' }],
    ['of several parts', '--x--', 415, 'unsupported_media_type', { 'content-type': 'multipart/form-data; boundary=x' }],
    ['of no media type', '{}', 415, 'unsupported_media_type', { 'content-type': 'nonsense' }],
  ];

  it.each(cases)('%s is refused', async (...[, body, status, code, headers]: (typeof cases)[number]) => {
    const before = await stored();
    await expectRefused(await send('POST', requests, body, headers), { status, code });
    expect(await stored()).toEqual(before);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  it('may be JSON under any spelling of its media type', async () => {
    for (const type of ['application/json; charset=utf-8', 'APPLICATION/JSON']) {
      const answer = await send('POST', requests, JSON.stringify(submission()), { 'content-type': type });
      expect([type, answer.status]).toEqual([type, 202]);
    }
  });
});

describe('an administered object', () => {
  const anId = randomUUID();
  // The table is made before there is a provider.
  const aRule = (over: object) => ruleBody('<provider>', over);
  const aTemplate = (over: object) => ({
    name: 'T',
    type: 'error-template',
    status: 403,
    contentType: 'text/html',
    template: 'x',
    ...over,
  });
  const aRedirect = (url: unknown) => ({ name: 'R', type: 'redirect', url });
  const aProvider = (over: object) => ({ name: 'P', issuer: 'https://op.example', ...over });

  const cases: readonly (readonly [string, string, unknown])[] = [
    ['a rule without a name', 'rules', aRule({ name: undefined })],
    ['a rule of blanks', 'rules', aRule({ name: '   ' })],
    ['a rule with a long name', 'rules', aRule({ name: 'n'.repeat(65) })],
    ['a rule with a line break', 'rules', aRule({ name: 'a\nb' })],
    ['a rule of another type', 'rules', aRule({ type: 'web-session' })],
    ['a rule of no provider', 'rules', aRule({ tokenProviderId: 'x' })],
    ['a rule of an unknown provider', 'rules', aRule({ tokenProviderId: anId })],
    ['a rule without a client id', 'rules', aRule({ clientId: '' })],
    ['a rule with a control in its client id', 'rules', aRule({ clientId: 'a\u0001' })],
    ['a rule without credentials', 'rules', aRule({ clientCredentials: undefined })],
    ['a rule with unknown credentials', 'rules', aRule({ clientCredentials: { type: 'password' } })],
    [
      'a rule with mixed credentials',
      'rules',
      aRule({ clientCredentials: { type: 'private-key-jwt', clientSecret: 'x' } }),
    ],
    ['a rule with an empty secret', 'rules', aRule({ clientCredentials: { type: 'secret', clientSecret: '' } })],
    ['a rule without a hint attribute', 'rules', aRule({ loginHintAttribute: '' })],
    ['a rule with a strange hint attribute', 'rules', aRule({ loginHintAttribute: 'a b' })],
    ['a rule with a blank in a scope', 'rules', aRule({ scopes: ['a b'] })],
    ['a rule with scopes in one text', 'rules', aRule({ scopes: 'a b' })],
    ['a rule with 51 scopes', 'rules', aRule({ scopes: Array.from({ length: 51 }, (_, n) => `s${n}`) })],
    ['a rule with no time', 'rules', aRule({ requestedExpirySeconds: 0 })],
    ['a rule with half a second', 'rules', aRule({ requestedExpirySeconds: 0.5 })],
    ['a rule with time without end', 'rules', aRule({ requestedExpirySeconds: 1e15 })],
    ['a rule with a consume time below zero', 'rules', aRule({ consumeWithinSeconds: -1 })],
    ['a rule with an unknown handler', 'rules', aRule({ denyRejectionHandlerId: anId })],
    ['a rule with an unknown delivery', 'rules', aRule({ deliveryMode: 'pigeon' })],
    ['a rule with a version', 'rules', aRule({ version: 7 })],
    ['a rule that is enabled by text', 'rules', aRule({ enabled: 'true' })],
    ['a provider without an issuer', 'token-providers', { name: 'P' }],
    ['a provider that is no address', 'token-providers', aProvider({ issuer: 'op.example' })],
    ['a provider in our network', 'token-providers', aProvider({ issuer: 'https://10.1.2.3' })],
    ['a provider with a fragment', 'token-providers', aProvider({ issuer: 'https://op.example#x' })],
    ['a provider of an unknown profile', 'token-providers', aProvider({ profile: 'acme' })],
    ['a provider with metadata in a list', 'token-providers', aProvider({ metadata: [] })],
    ['a provider with a certificate that is none', 'token-providers', aProvider({ trustedCertificates: ['x'] })],
    ['a provider that was discovered', 'token-providers', aProvider({ discovery: { state: 'ok' } })],
    ['a key pair of nothing', 'key-pairs', { alias: 'K' }],
    [
      'a key pair of everything',
      'key-pairs',
      { alias: 'K', pem: { certificate: 'c', privateKey: 'k' }, pkcs12: 'AA==' },
    ],
    ['a key pair of no PEM', 'key-pairs', { alias: 'K', pem: { certificate: 'c', privateKey: 'k' } }],
    ['a key pair of no base64', 'key-pairs', { alias: 'K', pkcs12: '***' }],
    ['a key pair of no PKCS#12', 'key-pairs', { alias: 'K', pkcs12: 'AAAA', password: 'x' }],
    ['a handler of no type', 'rejection-handlers', { name: 'H' }],
    ['a handler that says yes', 'rejection-handlers', aTemplate({ status: 200 })],
    ['a handler with an unknown variable', 'rejection-handlers', aTemplate({ template: '{{secret}}' })],
    ['a handler with a header in its type', 'rejection-handlers', aTemplate({ contentType: 'text/html\r\nx: y' })],
    ['a handler that is predefined', 'rejection-handlers', aTemplate({ predefined: true })],
    ['a redirect of a kept method', 'rejection-handlers', { ...aRedirect('/x'), status: 307 }],
    ...[
      '//evil.example',
      '/\\evil.example',
      'javascript:alert(1)',
      'http://x.example/',
      'https://a:b@x.example',
      '/a\r\nb',
      '',
    ].map((url) => [`a redirect to ${JSON.stringify(url)}`, 'rejection-handlers', aRedirect(url)] as const),
    ['an endpoint without an address', 'webhook-endpoints', {}],
    ['an endpoint in our network', 'webhook-endpoints', { url: 'https://192.168.1.1/' }],
    ['an endpoint for unknown events', 'webhook-endpoints', { url: 'https://x.example/', events: ['everything'] }],
    ['an endpoint for no events', 'webhook-endpoints', { url: 'https://x.example/', events: [] }],
    ['an endpoint with its own secret', 'webhook-endpoints', { url: 'https://x.example/', secret: 'whsec_x' }],
    ['a client without scopes', 'api-clients', { name: 'C', scopes: [] }],
    ['a client with an unknown scope', 'api-clients', { name: 'C', scopes: ['root'] }],
    ['a client with its own key', 'api-clients', { name: 'C', scopes: ['requests:read'], key: 'assent_x' }],
  ];

  it.each(cases)('like %s is refused', async (_, collection, body) => {
    const before = await stored();
    const text = JSON.stringify(body).replace('<provider>', rule.tokenProviderId);
    await expectRefused(await send('POST', `/v1/${collection}`, text), { status: 422 });
    expect(await stored()).toEqual(before);
  });
});

describe('a call', () => {
  const id = randomUUID();
  const cases: readonly (readonly [string, string, string, number, string, Record<string, string>?])[] = [
    ['to nowhere', 'GET', '/v1/nothing', 404, 'not_found'],
    ['to the root', 'GET', '/', 404, 'not_found'],
    ['by a method that is not there', 'DELETE', '/v1/rules', 405, 'method_not_allowed'],
    ['to a place above', 'GET', '/v1/rules/..%2f..%2fetc%2fpasswd', 404, 'not_found'],
    ['with a broken escape', 'GET', '/v1/rules/%zz', 400, 'malformed_request'],
    ['with a broken escape in the query', 'GET', '/v1/rules?cursor=%zz', 400, 'invalid_cursor'],
    ['with an id without end', 'GET', `/v1/rules/${'a'.repeat(1000)}`, 404, 'not_found'],
    ['with NUL for an id', 'GET', '/v1/rules/%00', 404, 'not_found'],
    ['with NUL for a key', 'DELETE', '/v1/master-keys/%00', 404, 'not_found'],
    ['with an injection for an id', 'GET', `${requests}/'%20or%20'1'='1`, 404, 'not_found'],
    ['with an unknown query member', 'GET', '/v1/rules?sort=name', 400, 'invalid_parameter'],
    ['with a query where there is none', 'GET', `/v1/rules/${id}?x=1`, 400, 'invalid_parameter'],
    ['with a query member twice', 'GET', '/v1/rules?limit=1&limit=2', 400, 'invalid_parameter'],
    ['with a prototype in the query', 'GET', '/v1/rules?__proto__=1', 400, 'invalid_parameter'],
    ['with brackets in the query', 'GET', '/v1/rules?limit[gt]=1', 400, 'invalid_parameter'],
    ['with no limit', 'GET', '/v1/rules?limit=', 400, 'invalid_parameter'],
    ['with half a limit', 'GET', '/v1/rules?limit=1.5', 400, 'invalid_parameter'],
    ['with a limit without end', 'GET', '/v1/rules?limit=1e9', 400, 'invalid_parameter'],
    ['with a long cursor', 'GET', `/v1/rules?cursor=${'c'.repeat(513)}`, 400, 'invalid_parameter'],
    ['with a negative wait', 'GET', `${requests}/${id}?wait=-1`, 400, 'invalid_parameter'],
    ['with a wait in words', 'GET', `${requests}/${id}?wait=long`, 400, 'invalid_parameter'],
    ['about a foreign request', 'GET', `${requests}/${id}?wait=1`, 404, 'not_found'],
    ['to cancel nothing', 'POST', `${requests}/${id}/cancel`, 404, 'not_found'],
    ['to use nothing', 'POST', `${requests}/${id}/consume`, 404, 'not_found'],
    ['to check nothing', 'POST', `/v1/token-providers/${id}/check`, 404, 'not_found'],
    ['with a broken If-Match', 'DELETE', `/v1/rules/${id}`, 400, 'invalid_if_match', { 'if-match': 'x' }],
    ['without a key', 'GET', '/v1/rules', 401, 'unauthenticated', { authorization: '' }],
    [
      'with a key without end',
      'GET',
      '/v1/rules',
      401,
      'unauthenticated',
      { authorization: `Bearer ${'k'.repeat(5000)}` },
    ],
    ['with two keys', 'GET', '/v1/rules', 401, 'unauthenticated', { authorization: 'Bearer a, Bearer b' }],
  ];

  it.each(cases)('%s is refused', async (...[, method, path, status, code, headers]: (typeof cases)[number]) => {
    const before = await stored();
    await expectRefused(await send(method, path, undefined, headers), { status, code });
    expect(await stored()).toEqual(before);
  });

  it('by HEAD says what GET says, and never streams', async () => {
    const request = await house.request(rule);
    for (const path of ['/v1/rules', `${requests}/${request}`, `${requests}/${request}/events`]) {
      const answer = await send('HEAD', path);
      expect([path, answer.status, answer.text]).toEqual([path, 200, '']);
    }
  });

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['an unknown version', 'GET / HTTP/9.9\r\n\r\n'],
    ['a header without a name', 'GET /v1/rules HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n'],
    ['two lengths', 'POST /v1/rules HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}'],
    [
      'a length and chunks',
      'POST /v1/rules HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a TRACE', 'TRACE /v1/rules HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['a header without end', `GET /v1/rules HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`],
  ])('that is %s is answered 4xx and closed', async (_, text) => {
    const answer = await raw(text);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).not.toMatch(leak);
  });
});

/** Sends bytes as they are, and answers what came back until the connection was closed. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port, hostname } = new URL(house.url);
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
    socket.on('close', () => resolve(answer)).on('error', reject);
  });
}
