import type { ConsoleBrowser, BrowserAnswer } from './console-browser.js';

/** What an attacker of the console has to work with. */
export interface AttackGround {
  /** The browser of an administrator who is logged in; what it changes is the rule below. */
  readonly victim: ConsoleBrowser;
  /** Somebody else with a session of their own, as powerful as the victim's. */
  readonly other: ConsoleBrowser;
  readonly auditor: ConsoleBrowser;
  /** Nobody is logged in with it. */
  readonly stranger: ConsoleBrowser;
  readonly apiKey: string;
  readonly rule: string;
}

/** One way in which somebody tries to do with the console what they may not, and the answer that they get. */
export interface SessionAttack {
  readonly name: string;
  readonly status: number;
  readonly code?: string;
  readonly run: (ground: AttackGround) => Promise<BrowserAnswer<unknown>>;
}

const sessionName = '__Host-assent-console';
const change = { name: 'Changed by an attacker' };
const changing = (
  name: string,
  [status, code]: readonly [number, string],
  run: (ground: AttackGround) => readonly [ConsoleBrowser, Readonly<Record<string, string | null>>],
): SessionAttack => ({
  name,
  status,
  code,
  run: (ground) => {
    const [browser, headers] = run(ground);
    return browser.call('PATCH', ground.rule, change, headers);
  },
});
const csrf = [403, 'csrf_token_missing'] as const;
const crossSite = [403, 'cross_site_call'] as const;
const nobody = [401, 'unauthenticated'] as const;

/** None of them changes anything. */
export const sessionAttacks: readonly SessionAttack[] = [
  changing('a change without a CSRF token', csrf, ({ victim }) => [victim, { 'x-csrf-token': null }]),
  changing('an empty CSRF token', csrf, ({ victim }) => [victim, { 'x-csrf-token': '' }]),
  changing('a made-up CSRF token', csrf, ({ victim }) => [victim, { 'x-csrf-token': 'A'.repeat(43) }]),
  changing('the CSRF token of another session', csrf, ({ victim, other }) => [
    victim,
    { 'x-csrf-token': other.csrfToken },
  ]),
  changing('the cookie as its own CSRF token', csrf, ({ victim }) => [
    victim,
    { 'x-csrf-token': victim.cookies.get(sessionName)! },
  ]),
  changing('a page of another site, with a stolen token', crossSite, ({ victim }) => [
    victim,
    { 'sec-fetch-site': 'cross-site' },
  ]),
  changing('a page of a neighbouring host, with a stolen token', crossSite, ({ victim }) => [
    victim,
    { 'sec-fetch-site': 'same-site' },
  ]),
  changing('a page of another origin, in an old browser', crossSite, ({ victim }) => [
    victim,
    { 'sec-fetch-site': null, origin: 'https://attacker.example' },
  ]),
  changing('a page without an origin, in an old browser', crossSite, ({ victim }) => [
    victim,
    { 'sec-fetch-site': null, origin: 'null' },
  ]),
  {
    name: 'a form of another site that logs the victim in as somebody else',
    status: 403,
    code: 'cross_site_call',
    run: ({ stranger, apiKey }) =>
      stranger.call('POST', '/console/api/session', { apiKey }, { 'sec-fetch-site': 'cross-site' }),
  },
  {
    name: 'a form, which cannot send JSON',
    status: 415,
    code: 'unsupported_media_type',
    run: ({ stranger, apiKey }) =>
      stranger.call('POST', '/console/api/session', `apiKey=${apiKey}`, { 'content-type': 'text/plain' }),
  },
  {
    name: 'a page of another site that logs the victim out',
    status: 403,
    code: 'cross_site_call',
    run: ({ victim }) => victim.call('DELETE', '/console/api/session', undefined, { 'sec-fetch-site': 'cross-site' }),
  },
  {
    name: 'a log-out without a CSRF token',
    status: 403,
    code: 'csrf_token_missing',
    run: ({ victim }) => victim.call('DELETE', '/console/api/session', undefined, { 'x-csrf-token': null }),
  },
  changing('an auditor who writes', [403, 'insufficient_scope'], ({ auditor }) => [auditor, {}]),
  {
    name: 'an auditor who asks somebody',
    status: 403,
    code: 'insufficient_scope',
    run: ({ auditor }) => auditor.call('POST', '/v1/authorization-requests', { rule: 'any', attributes: {} }),
  },
  changing('a cookie that was guessed', nobody, ({ stranger }) => [
    stranger,
    { cookie: `${sessionName}=${'A'.repeat(43)}`, 'x-csrf-token': 'A'.repeat(43) },
  ]),
  changing('a cookie that is no secret of ours', nobody, ({ stranger }) => [
    stranger,
    { cookie: `${sessionName}=' or true --` },
  ]),
  changing('a second cookie of the same name, set by a neighbour', nobody, ({ victim, other }) => [
    victim,
    { cookie: `${sessionName}=${victim.cookies.get(sessionName)}; ${sessionName}=${other.cookies.get(sessionName)}` },
  ]),
  changing('the cookie under a name that any host can set', nobody, ({ victim }) => [
    victim,
    { cookie: `assent-console=${victim.cookies.get(sessionName)}` },
  ]),
  changing('a wrong key beside a good cookie', nobody, ({ victim }) => [
    victim,
    { authorization: 'Bearer assent_wrong' },
  ]),
  changing('the secret of a cookie as a key', nobody, ({ victim, stranger }) => [
    stranger,
    { authorization: `Bearer ${victim.cookies.get(sessionName)}` },
  ]),
];

/** Addresses to which no login may lead. */
export const strangeReturnAddresses: readonly string[] = [
  'https://attacker.example/console/overview',
  '//attacker.example/console/overview',
  '/\\attacker.example',
  '\\\\attacker.example',
  '/console/\\..\\..\\attacker',
  '/console/../v1/rules',
  '/console/%2e%2e/v1/rules',
  '/console//attacker.example/..',
  '/consolex/overview',
  '/console/api/session',
  'javascript:alert(1)',
  ' /console/overview',
  '/console/overview\r\nset-cookie: a=b',
  '/console/overview\u0000',
  'console/overview',
  '@attacker.example/console',
];
