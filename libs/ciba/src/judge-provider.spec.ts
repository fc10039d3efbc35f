import { findingCodes, type FindingCode } from '#lib/contracts';
import { describe, expect, it } from '@jest/globals';
import type { CredentialsFact, ProviderFacts, RuleFacts, TrialFact } from './doctor-facts.js';
import { judgeProvider } from './judge-provider.js';

const now = new Date('2026-03-02T12:00:00.000Z');
const daysOn = (days: number) => new Date(now.getTime() + days * 86_400_000);
const origin = 'https://op.example';
const metadata = {
  issuer: origin,
  backchannel_authentication_endpoint: `${origin}/backchannel`,
  token_endpoint: `${origin}/token`,
  jwks_uri: `${origin}/jwks`,
  grant_types_supported: ['urn:openid:params:grant-type:ciba'],
  backchannel_token_delivery_modes_supported: ['poll', 'ping'],
  backchannel_user_code_parameter_supported: true,
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt', 'tls_client_auth'],
  id_token_signing_alg_values_supported: ['ES256'],
  scopes_supported: ['openid', 'payments'],
  acr_values_supported: ['urn:strong'],
  authorization_details_types_supported: ['payment'],
  backchannel_authentication_request_signing_alg_values_supported: ['ES256', 'HS256'],
  subject_types_supported: ['public'],
};
const healthy: ProviderFacts = {
  issuer: origin,
  profile: 'generic',
  discovery: { kind: 'read' },
  problem: null,
  metadata,
  unusableAddresses: [],
  origins: [{ kind: 'reached', origin, notAfter: daysOn(300) }],
  clock: { aheadMs: 0 },
  keys: { kind: 'read', keys: 1, algorithms: ['ES256'] },
  rules: [],
  moreRules: false,
};

const saying = (change: Record<string, unknown>): Partial<ProviderFacts> => ({ metadata: { ...metadata, ...change } });
const answered = (status: number, error: string | null, carriesTokens = false): TrialFact => ({
  kind: 'answered',
  status,
  error,
  carriesTokens,
});
const accepted = answered(400, 'invalid_grant');
const secret: CredentialsFact = { type: 'secret', method: null };
const certificate = (from: number, to: number): CredentialsFact => ({
  type: 'mutual-tls',
  method: null,
  certificate: { notBefore: daysOn(from), notAfter: daysOn(to) },
});

interface RuleChange extends Partial<Omit<RuleFacts, 'asks'>> {
  readonly asks?: Partial<RuleFacts['asks']>;
}
const rule = ({ asks, ...change }: RuleChange = {}): RuleFacts => ({
  rule: { id: 'r1', name: 'Approve a payment' },
  asks: { deliveryMode: 'poll', scopes: [], acrValues: [], detailTypes: [], requestedExpirySeconds: null, ...asks },
  clientId: 'assent',
  credentials: secret,
  signing: null,
  trial: accepted,
  ...change,
});
const withRule = (change: RuleChange, facts: Partial<ProviderFacts> = {}): Partial<ProviderFacts> => ({
  ...facts,
  rules: [rule(change)],
});
const trying = (trial: TrialFact, credentials: CredentialsFact = secret) => withRule({ trial, credentials });

const codes = (facts: Partial<ProviderFacts>): FindingCode[] =>
  judgeProvider({ ...healthy, ...facts }, now).map(({ code }) => code);

type Row = readonly [seen: string, facts: Partial<ProviderFacts>, found: readonly FindingCode[]];

const unread = (discovery: ProviderFacts['discovery']): Partial<ProviderFacts> => ({
  discovery,
  metadata: null,
  keys: { kind: 'not-tried' },
  origins: [],
  clock: { aheadMs: null },
});
const url = `${origin}/.well-known/openid-configuration`;
const unreachable = (code: string): Partial<ProviderFacts> => ({
  ...unread({ kind: 'unreachable', url, code }),
  origins: [{ kind: 'unreachable', origin, code }],
});

const refusal = {
  call: 'start',
  error: 'invalid_client',
  firstAt: daysOn(-1),
  lastAt: daysOn(0),
  pausedUntil: daysOn(1),
} as const;

const rows: readonly Row[] = [
  ['nothing amiss', {}, []],
  ['no connection', unreachable('ECONNREFUSED'), ['discovery_unreachable']],
  ['an address that the guard refuses', unreachable('OUTBOUND_REFUSED'), ['discovery_refused_by_guard']],
  [
    'no document, although the host is reached',
    { ...unreachable('ETIMEDOUT'), origins: [{ kind: 'reached', origin, notAfter: daysOn(300) }] },
    ['discovery_unreachable'],
  ],
  ['a 404', unread({ kind: 'status', url, status: 404 }), ['discovery_not_found']],
  ['a 503', unread({ kind: 'status', url, status: 503 }), ['discovery_unavailable']],
  ['a page in place of the document', unread({ kind: 'unreadable', url }), ['discovery_unreadable']],
  ['an issuer that is no address', unread({ kind: 'unusable' }), ['issuer_unusable']],
  ['metadata by hand', { discovery: { kind: 'explicit' } }, ['discovery_explicit']],
  [
    'metadata by hand for another issuer',
    { discovery: { kind: 'explicit' }, ...saying({ issuer: 'https://x.example' }) },
    ['issuer_mismatch', 'discovery_explicit'],
  ],
  [
    'metadata by hand without issuer',
    { discovery: { kind: 'explicit' }, ...saying({ issuer: undefined }) },
    ['discovery_explicit'],
  ],
  ['a slash too many (R12)', saying({ issuer: `${origin}/` }), ['issuer_trailing_slash']],
  ['a slash too few (R12)', { issuer: `${origin}/` }, ['issuer_trailing_slash']],
  ['another issuer (R12)', saying({ issuer: 'https://evil.example' }), ['issuer_mismatch']],
  ['no issuer (R12)', saying({ issuer: undefined }), ['issuer_mismatch']],
  [
    'no backchannel endpoint (R1)',
    { unusableAddresses: [{ member: 'backchannel_authentication_endpoint', problem: 'missing' }] },
    ['ciba_not_offered'],
  ],
  ['no keys', { unusableAddresses: [{ member: 'jwks_uri', problem: 'missing' }] }, ['metadata_member_missing']],
  [
    'plain http inside',
    { unusableAddresses: [{ member: 'token_endpoint', problem: 'unusable' }] },
    ['metadata_address_unusable'],
  ],
  [
    'an address that is away',
    { origins: [{ kind: 'unreachable', origin: 'https://b.example', code: 'ENOTFOUND' }] },
    ['address_unreachable'],
  ],
  ['grants without CIBA (R2)', saying({ grant_types_supported: ['authorization_code'] }), ['ciba_grant_missing']],
  ['no word on grants (R2)', saying({ grant_types_supported: undefined }), ['ciba_grant_unsaid']],
  ['grants that are no list', saying({ grant_types_supported: 'ciba' }), ['metadata_malformed', 'ciba_grant_unsaid']],
  [
    'no word on delivery (R3)',
    saying({ backchannel_token_delivery_modes_supported: undefined }),
    ['delivery_modes_unsaid'],
  ],
  [
    'no word on delivery where none is expected (Q37)',
    { ...saying({ backchannel_token_delivery_modes_supported: undefined }), profile: 'pingone' },
    [],
  ],
  [
    'delivery by pigeon (R3)',
    saying({ backchannel_token_delivery_modes_supported: ['pigeon'] }),
    ['delivery_modes_unknown'],
  ],
  ['no user codes (R5)', saying({ backchannel_user_code_parameter_supported: undefined }), ['user_code_unsupported']],

  ['plain http', { origins: [{ kind: 'reached', origin: 'http://127.0.0.1:1', notAfter: null }] }, ['tls_not_used']],
  ...(
    [
      [31, []],
      [29, ['tls_certificate_expires_soon']],
      [7, ['tls_certificate_expires_this_week']],
      [0, ['tls_certificate_expired']],
    ] as const
  ).map(([days, found]): Row => [
    `a server certificate for ${days} days`,
    { origins: [{ kind: 'reached', origin, notAfter: daysOn(days) }] },
    found,
  ]),
  ['an expired server certificate', unreachable('CERT_HAS_EXPIRED'), ['tls_certificate_expired']],
  ['a server certificate of tomorrow', unreachable('CERT_NOT_YET_VALID'), ['tls_certificate_not_yet_valid']],
  ['an unknown authority', unreachable('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), ['tls_certificate_untrusted']],
  ['a self-signed server', unreachable('DEPTH_ZERO_SELF_SIGNED_CERT'), ['tls_certificate_untrusted']],
  ['a certificate for another name', unreachable('ERR_TLS_CERT_ALTNAME_INVALID'), ['tls_certificate_for_another_name']],
  ['a server that speaks no TLS', unreachable('ERR_SSL_WRONG_VERSION_NUMBER'), ['tls_failed']],
  [
    'a fault of TLS at one host, and no connection to another',
    {
      ...unreachable('CERT_HAS_EXPIRED'),
      origins: [
        { kind: 'unreachable', origin, code: 'CERT_HAS_EXPIRED' },
        { kind: 'unreachable', origin: 'https://b.example', code: 'ECONNREFUSED' },
      ],
    },
    ['tls_certificate_expired', 'address_unreachable'],
  ],

  ['a clock 2 s off', { clock: { aheadMs: 2_000 } }, []],
  ['a clock 3 s ahead', { clock: { aheadMs: 3_000 } }, ['clock_difference']],
  ['a clock 60 s behind', { clock: { aheadMs: -60_000 } }, ['clock_difference']],
  ['a clock 61 s behind', { clock: { aheadMs: -61_000 } }, ['clock_far_off']],
  ['no word on the time', { clock: { aheadMs: null } }, ['clock_unknown']],

  ['keys that are away', { keys: { kind: 'unreachable', url, code: 'ECONNRESET' } }, ['keys_unreachable']],
  ['keys that are not there', { keys: { kind: 'status', url, status: 404 } }, ['keys_unreachable']],
  ['keys that are a page', { keys: { kind: 'unreadable', url } }, ['keys_unreadable']],
  ['keys that are no list', { keys: { kind: 'read', keys: null, algorithms: [] } }, ['keys_unreadable']],
  ['keys for something else', { keys: { kind: 'read', keys: 2, algorithms: ['RS256'] } }, ['keys_unusable']],
  [
    'ID tokens that nobody accepts',
    saying({ id_token_signing_alg_values_supported: ['HS256', 'none'] }),
    ['id_token_algorithms_unsupported'],
  ],
  [
    'no word on ID tokens',
    saying({ id_token_signing_alg_values_supported: undefined }),
    ['id_token_algorithms_unsaid'],
  ],

  ['a made-up request refused', trying(accepted), ['client_accepted']],
  ['a made-up request expired (Q25)', trying(answered(400, 'expired_token')), ['client_accepted']],
  ['a made-up request pending', trying(answered(400, 'authorization_pending')), ['client_accepted']],
  ['a made-up request approved', trying(answered(200, null, true)), ['made_up_request_approved']],
  [
    'a made-up request approved with a straight face',
    trying(answered(400, 'invalid_grant', true)),
    ['made_up_request_approved'],
  ],
  ['a wrong secret', trying(answered(401, 'invalid_client')), ['client_secret_refused']],
  ['a wrong secret, told by status', trying(answered(401, null)), ['client_secret_refused']],
  [
    'a wrong assertion',
    trying(answered(400, 'invalid_client'), { type: 'private-key-jwt' }),
    ['client_assertion_refused'],
  ],
  [
    'a strange certificate',
    trying(answered(401, 'invalid_client'), certificate(-1, 300)),
    ['client_certificate_not_recognised'],
  ],
  [
    'a certificate refused in the handshake',
    trying({ kind: 'no-answer', code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }, certificate(-1, 300)),
    ['client_certificate_refused'],
  ],
  [
    'a connection cut right after a certificate',
    trying({ kind: 'no-answer', code: 'ECONNRESET' }, certificate(-1, 300)),
    ['client_certificate_refused'],
  ],
  ['a connection cut after a secret', trying({ kind: 'no-answer', code: 'ECONNRESET' }), ['client_not_tried']],
  [
    'a certificate refused by a gateway',
    trying(answered(495, null), certificate(-1, 300)),
    ['client_certificate_refused'],
  ],
  ['a client without the grant', trying(answered(400, 'unauthorized_client')), ['client_lacks_grant']],
  [
    'a client registered for push, which has no use for a token endpoint',
    withRule(
      { asks: { deliveryMode: 'push' }, trial: answered(400, 'unauthorized_client') },
      saying({ backchannel_token_delivery_modes_supported: ['push'] }),
    ),
    ['client_accepted'],
  ],
  ['a grant that nobody has', trying(answered(400, 'unsupported_grant_type')), ['client_lacks_grant']],
  ['a wrong request', trying(answered(400, 'invalid_request')), ['client_answer_unclear']],
  ['a page from a gateway', trying(answered(403, null)), ['client_answer_unclear']],
  ['a provider in trouble', trying(answered(503, 'server_error')), ['client_not_tried']],
  ['no answer to the trial', trying({ kind: 'no-answer', code: 'no complete answer in time' }), ['client_not_tried']],
  [
    'a handshake that ends without a certificate of ours',
    trying({ kind: 'no-answer', code: 'ERR_SSL_ALERT_CERTIFICATE' }),
    ['client_not_tried'],
  ],
  ['no time for the trial', trying({ kind: 'not-tried', why: 'time' }), ['client_not_tried']],
  [
    'credentials that cannot be used',
    trying({ kind: 'unready', detail: 'the signing key cannot be read' }),
    ['client_unready'],
  ],
  [
    'a client that was refused, and is refused still (R62)',
    withRule({ trial: answered(401, 'invalid_client'), refusals: [refusal] }),
    ['client_secret_refused', 'client_calls_paused'],
  ],
  ['a client that was refused, and is accepted by now (R62)', withRule({ refusals: [refusal] }), ['client_accepted']],
  [
    'credentials that are gone',
    trying({ kind: 'not-tried', why: 'metadata' }, { type: 'gone' }),
    ['client_credentials_missing'],
  ],

  [
    'a delivery mode that is not offered (R3)',
    withRule({ asks: { deliveryMode: 'push' } }),
    ['delivery_mode_not_offered', 'client_accepted'],
  ],
  [
    'ping where only polls are known (Q37)',
    withRule(
      { asks: { deliveryMode: 'ping' } },
      { ...saying({ backchannel_token_delivery_modes_supported: undefined }), profile: 'pingone' },
    ),
    ['delivery_mode_not_offered', 'client_accepted'],
  ],
  [
    'a method that is not offered (R6)',
    withRule({ credentials: { type: 'secret', method: 'client_secret_post' }, trial: answered(401, 'invalid_client') }),
    ['client_secret_refused', 'authentication_method_not_offered'],
  ],
  [
    'a method that is not listed and works (R6)',
    withRule({ credentials: { type: 'secret', method: 'client_secret_post' } }),
    ['client_accepted', 'authentication_method_unlisted'],
  ],
  [
    'an issuer that looks like Okta’s under the generic profile',
    withRule(
      { trial: answered(401, 'invalid_client') },
      { ...saying({ issuer: 'https://dev-1.okta.com' }), issuer: 'https://dev-1.okta.com' },
    ),
    ['client_secret_refused', 'profile_unlikely'],
  ],
  [
    'the same under the right profile',
    { ...saying({ issuer: 'https://dev-1.okta.com' }), issuer: 'https://dev-1.okta.com', profile: 'okta' },
    [],
  ],
  [
    'a certificate at PingOne (Q37)',
    withRule({ credentials: certificate(-1, 300), trial: answered(401, 'invalid_client') }, { profile: 'pingone' }),
    ['client_certificate_not_recognised', 'mutual_tls_impossible'],
  ],
  [
    'a scope that is not listed',
    withRule({ asks: { scopes: ['payments', 'x'] } }),
    ['scope_not_offered', 'client_accepted'],
  ],
  [
    'scopes where none are listed',
    withRule({ asks: { scopes: ['x'] } }, saying({ scopes_supported: undefined })),
    ['client_accepted'],
  ],
  [
    'an acr that is not listed',
    withRule({ asks: { acrValues: ['urn:weak'] } }),
    ['acr_not_offered', 'client_accepted'],
  ],
  [
    'a type of authorization details that is not listed',
    withRule({ asks: { detailTypes: ['payment', 'loan'] } }),
    ['detail_type_not_offered', 'client_accepted'],
  ],
  ['listed authorization details', withRule({ asks: { detailTypes: ['payment'] } }), ['client_accepted']],
  [
    'authorization details where none are listed',
    withRule({ asks: { detailTypes: ['loan'] } }, saying({ authorization_details_types_supported: undefined })),
    ['client_accepted'],
  ],
  ['a signed request', withRule({ signing: { algorithm: 'ES256' } }), ['client_accepted']],
  ['a signature of any kind', withRule({ signing: { algorithm: null } }), ['client_accepted']],
  [
    'a signature that is not offered (R4)',
    withRule({ signing: { algorithm: 'PS256' } }),
    ['signing_algorithm_not_offered', 'client_accepted'],
  ],
  [
    'signatures with shared secrets only (R4)',
    withRule(
      { signing: { algorithm: null } },
      saying({ backchannel_authentication_request_signing_alg_values_supported: ['HS256', 'none'] }),
    ),
    ['signing_algorithm_not_offered', 'client_accepted'],
  ],
  [
    'pairwise subjects and a secret (R9)',
    withRule({}, saying({ subject_types_supported: ['pairwise'] })),
    ['pairwise_without_proof', 'client_accepted'],
  ],
  [
    'pairwise subjects and a key (R9)',
    withRule({ credentials: { type: 'private-key-jwt' } }, saying({ subject_types_supported: ['pairwise'] })),
    ['client_accepted'],
  ],
  ['a key pair that has expired', trying(accepted, certificate(-90, -1)), ['key_pair_expired', 'client_accepted']],
  ['a key pair of tomorrow', trying(accepted, certificate(1, 90)), ['key_pair_not_yet_valid', 'client_accepted']],
  ['a key pair for 29 days', trying(accepted, certificate(-1, 29)), ['key_pair_expires_soon', 'client_accepted']],
  ['a key pair for 31 days', trying(accepted, certificate(-1, 31)), ['client_accepted']],
  [
    'a long wait at PingFederate (Q13)',
    withRule({ asks: { requestedExpirySeconds: 300 } }, { profile: 'pingfederate' }),
    ['requested_expiry_shortened', 'client_accepted'],
  ],
  [
    'a short wait at PingFederate (Q13)',
    withRule({ asks: { requestedExpirySeconds: 60 } }, { profile: 'pingfederate' }),
    ['client_accepted'],
  ],
  ['Okta (Q38)', withRule({}, { profile: 'okta' }), ['client_accepted', 'provider_prerequisites']],
  ['more rules than are looked at', { rules: [rule()], moreRules: true }, ['client_accepted', 'rules_left_out']],
];

describe('the doctor', () => {
  it.each(rows)('sees %s', (_, facts, found) => {
    expect(codes(facts)).toEqual(found);
  });

  it('has a row for every finding of the catalogue', () => {
    expect([...new Set(rows.flatMap(([, , found]) => found))].sort()).toEqual([...findingCodes].sort());
  });

  it('says of which rule it speaks, what it saw, and what to do', () => {
    const [finding] = judgeProvider({ ...healthy, ...trying(answered(401, 'invalid_client')) }, now);
    expect(finding).toEqual({
      code: 'client_secret_refused',
      severity: 'error',
      about: 'client-authentication',
      rule: { id: 'r1', name: 'Approve a payment' },
      title: expect.any(String),
      detail: 'The token endpoint answered 401 invalid_client to client "assent".',
      remedy: expect.any(String),
    });
  });

  it('names both issuers when they differ', () => {
    const [finding] = judgeProvider({ ...healthy, ...saying({ issuer: `${origin}/` }) }, now);
    expect(finding?.detail).toBe('Configured: https://op.example · published: https://op.example/');
  });

  it.each([
    ['backchannel_authentication_endpoint', 'ciba_not_offered'],
    ['jwks_uri', 'metadata_member_missing'],
  ])('says that %s is missing', (member, code) => {
    const unusableAddresses = [{ member, problem: 'missing' as const }];
    const [finding] = judgeProvider({ ...healthy, unusableAddresses }, now);
    expect(finding).toMatchObject({ code, detail: `${member} is missing.` });
  });

  it('shows no unprintable text of the provider, and not much of it', () => {
    const scopes = ['\u001b[31mred', ...Array.from({ length: 500 }, (_, index) => `s${index}`), 'y'.repeat(10_000)];
    const [finding] = judgeProvider(
      { ...healthy, ...withRule({ asks: { scopes: ['x'] } }, saying({ scopes_supported: scopes })) },
      now,
    );
    expect(finding?.detail).toMatch(/^Not listed: x · listed: \uFFFD\[31mred, s0, .*, and 482 more\.$/);
  });
});
