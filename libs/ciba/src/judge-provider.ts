import { providerFindings, type FindingCode, type ProviderFinding } from '#lib/contracts';
import type { DocumentFault, OriginFact, ProviderFacts, RuleFacts, TrialFact } from './doctor-facts.js';
import { acceptedAlgorithms } from './evidence.js';
import { likelyProfile } from './likely-profile.js';
import { providerProfiles } from './provider-profiles.js';
import type { ProviderProfileName } from './registration.js';

const dayMs = 86_400_000;
const cibaGrant = 'urn:openid:params:grant-type:ciba';
const knownDeliveryModes = ['poll', 'ping', 'push'];
const toleratedClockMs = 2_000;
const fatalClockMs = 60_000;
const shown = 20;

/** What was found, before the words of the catalogue are added. */
interface Observation {
  readonly code: FindingCode;
  readonly detail: string;
  readonly rule?: { readonly id: string; readonly name: string };
}

/** What providers of a kind want done beside what their metadata say. */
const prerequisites: Readonly<Partial<Record<ProviderProfileName, string>>> = {
  okta:
    'Okta: the client is a web application; a custom authenticator is bound to the organisation; each person has ' +
    'enabled CIBA transactions on the device; requests are signed only if the client has an algorithm registered.',
};

/** Lifetimes that a kind of provider gives by itself, where a rule can only ask for less. */
const longestExpirySeconds: Readonly<Partial<Record<ProviderProfileName, number>>> = { pingfederate: 120 };

/** Turns what was seen into what it means and what to do: errors first. */
export function judgeProvider(facts: ProviderFacts, now: Date): ProviderFinding[] {
  const observations = [
    ...judgeDiscovery(facts),
    ...judgeKind(facts),
    ...judgeOrigins(facts, now),
    ...judgeClock(facts),
    ...(facts.metadata === null ? [] : [...judgeMetadata(facts, facts.metadata), ...judgeKeys(facts, facts.metadata)]),
    ...facts.rules.flatMap((rule) => judgeRule(facts, rule, now)),
    ...(facts.moreRules
      ? [observe('rules_left_out', `${facts.rules.length} rules were looked at, oldest first.`)]
      : []),
  ];
  const findings = observations.map(({ code, detail, rule }): ProviderFinding => ({
    code,
    ...providerFindings[code],
    ...(rule !== undefined && { rule }),
    detail,
  }));
  const order = ['error', 'warning', 'note'];
  return findings.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function observe(code: FindingCode, detail: string): Observation {
  return { code, detail };
}

function judgeDiscovery(facts: ProviderFacts): Observation[] {
  const { discovery, issuer, metadata } = facts;
  switch (discovery.kind) {
    case 'unusable':
      return [observe('issuer_unusable', issuer)];
    case 'unreachable':
      return judgeUnreachable(facts, discovery.url, discovery.code);
    case 'status':
      return [
        observe(
          discovery.status >= 500 || discovery.status === 429 ? 'discovery_unavailable' : 'discovery_not_found',
          `${discovery.url} answered ${discovery.status}.`,
        ),
      ];
    case 'unreadable':
      return [observe('discovery_unreadable', discovery.url)];
    case 'explicit':
      return [
        observe('discovery_explicit', `Discovery of ${issuer} is not read.`),
        ...(metadata?.['issuer'] === undefined ? [] : judgeIssuer(issuer, metadata['issuer'])),
      ];
    case 'read':
      return judgeIssuer(issuer, metadata?.['issuer']);
  }
}

function judgeKind({ issuer, metadata, profile }: ProviderFacts): Observation[] {
  const likely = likelyProfile(issuer, metadata);
  if (likely === null || likely === profile) return [];
  return [observe('profile_unlikely', `It looks like ${likely}; the profile is ${profile}.`)];
}

/** A connection that TLS refused is told as such, once. */
function judgeUnreachable({ origins }: ProviderFacts, url: string, code: string): Observation[] {
  const { origin } = new URL(url);
  const isTold = origins.some((fact) => fact.origin === origin && fact.kind === 'unreachable' && isTlsFault(fact.code));
  if (isTold) return [];
  if (code === 'OUTBOUND_REFUSED') return [observe('discovery_refused_by_guard', url)];
  return [observe('discovery_unreachable', `${url}: ${code}.`)];
}

/** Byte by byte, as ID tokens are compared later (OpenID Connect Discovery 1.0 §4.3). */
function judgeIssuer(configured: string, published: unknown): Observation[] {
  if (published === configured) return [];
  if (typeof published !== 'string') return [observe('issuer_mismatch', 'The document names no issuer.')];
  const detail = `Configured: ${configured} · published: ${words([published])}`;
  const withoutSlash = (issuer: string) => issuer.replace(/\/$/, '');
  const bySlash = withoutSlash(configured) === withoutSlash(published);
  return [observe(bySlash ? 'issuer_trailing_slash' : 'issuer_mismatch', detail)];
}

function judgeOrigins({ origins, discovery }: ProviderFacts, now: Date): Observation[] {
  const discoveryOrigin = discovery.kind === 'unreachable' ? new URL(discovery.url).origin : null;
  return origins.flatMap((fact) => {
    if (fact.kind === 'reached') return judgeCertificate(fact, now);
    if (isTlsFault(fact.code)) return [observe(tlsFinding(fact.code), `${fact.origin}: ${fact.code}.`)];
    // Discovery has said so already.
    if (fact.origin === discoveryOrigin) return [];
    return [observe('address_unreachable', `${fact.origin}: ${fact.code}.`)];
  });
}

function judgeCertificate(fact: Extract<OriginFact, { kind: 'reached' }>, now: Date): Observation[] {
  const { origin, notAfter } = fact;
  if (origin.startsWith('http:')) return [observe('tls_not_used', origin)];
  if (notAfter === null || Number.isNaN(notAfter.getTime())) return [];
  const leftMs = notAfter.getTime() - now.getTime();
  const detail = `${origin}: valid until ${notAfter.toISOString()}.`;
  if (leftMs <= 0) return [observe('tls_certificate_expired', detail)];
  if (leftMs <= 7 * dayMs) return [observe('tls_certificate_expires_this_week', detail)];
  return leftMs <= 30 * dayMs ? [observe('tls_certificate_expires_soon', detail)] : [];
}

const tlsFindings: Readonly<Record<string, FindingCode>> = {
  CERT_HAS_EXPIRED: 'tls_certificate_expired',
  CERT_NOT_YET_VALID: 'tls_certificate_not_yet_valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_certificate_for_another_name',
  HOSTNAME_MISMATCH: 'tls_certificate_for_another_name',
};

function tlsFinding(code: string): FindingCode {
  const known = tlsFindings[code];
  if (known !== undefined) return known;
  return /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA)/.test(code)
    ? 'tls_certificate_untrusted'
    : 'tls_failed';
}

function isTlsFault(code: string): boolean {
  return /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH|ERR_TLS_|ERR_SSL_|EPROTO)/.test(
    code,
  );
}

function judgeClock({ clock }: ProviderFacts): Observation[] {
  const { aheadMs } = clock;
  if (aheadMs === null) return [];
  const offMs = Math.abs(aheadMs);
  if (offMs <= toleratedClockMs) return [];
  const detail = `The provider's clock is ${Math.round(offMs / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ours.`;
  return [observe(offMs > fatalClockMs ? 'clock_far_off' : 'clock_difference', detail)];
}

type Metadata = Readonly<Record<string, unknown>>;

function judgeMetadata({ unusableAddresses, clock, profile }: ProviderFacts, metadata: Metadata): Observation[] {
  const backchannel = 'backchannel_authentication_endpoint';
  const addresses = unusableAddresses.map(({ member, problem }) => {
    if (problem === 'unusable') return observe('metadata_address_unusable', member);
    return observe(member === backchannel ? 'ciba_not_offered' : 'metadata_member_missing', `${member} is missing.`);
  });
  const malformed = listMembers.filter((member) => metadata[member] != null && !Array.isArray(metadata[member]));
  return [
    ...addresses,
    ...malformed.map((member) => observe('metadata_malformed', member)),
    ...judgeGrants(metadata),
    ...judgeDeliveryModes(metadata, profile),
    ...(metadata['backchannel_user_code_parameter_supported'] === true
      ? []
      : [observe('user_code_unsupported', 'backchannel_user_code_parameter_supported is not true.')]),
    ...(clock.aheadMs === null ? [observe('clock_unknown', 'No answer had a Date header.')] : []),
  ];
}

const listMembers = [
  'grant_types_supported',
  'backchannel_token_delivery_modes_supported',
  'token_endpoint_auth_methods_supported',
  'id_token_signing_alg_values_supported',
];

/** The strings of a list; null when the provider does not say, or says nothing that is a list. */
function listOf(metadata: Metadata, member: string): string[] | null {
  const value = metadata[member];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : null;
}

function judgeGrants(metadata: Metadata): Observation[] {
  const grants = listOf(metadata, 'grant_types_supported');
  if (grants === null) return [observe('ciba_grant_unsaid', 'grant_types_supported is missing.')];
  return grants.includes(cibaGrant) ? [] : [observe('ciba_grant_missing', `Offered: ${words(grants)}.`)];
}

function judgeDeliveryModes(metadata: Metadata, profile: ProviderProfileName): Observation[] {
  const modes = listOf(metadata, 'backchannel_token_delivery_modes_supported');
  if (modes === null) {
    if (providerProfiles[profile].deliveryModes !== null) return [];
    return [observe('delivery_modes_unsaid', 'backchannel_token_delivery_modes_supported is missing.')];
  }
  if (modes.some((mode) => knownDeliveryModes.includes(mode))) return [];
  return [observe('delivery_modes_unknown', `Offered: ${words(modes)}.`)];
}

function judgeKeys({ keys }: ProviderFacts, metadata: Metadata): Observation[] {
  const offered = listOf(metadata, 'id_token_signing_alg_values_supported');
  const common = acceptedAlgorithms.filter((algorithm) => offered?.includes(algorithm) ?? true);
  const algorithms =
    offered === null
      ? [observe('id_token_algorithms_unsaid', 'id_token_signing_alg_values_supported is missing.')]
      : common.length === 0
        ? [observe('id_token_algorithms_unsupported', `Offered: ${words(offered)}.`)]
        : [];
  return [...algorithms, ...judgeKeyDocument(keys, common)];
}

function judgeKeyDocument(keys: ProviderFacts['keys'], common: readonly string[]): Observation[] {
  switch (keys.kind) {
    case 'not-tried':
      return [];
    case 'unreachable':
    case 'status':
      return [observe('keys_unreachable', faultDetail(keys))];
    case 'unreadable':
      return [observe('keys_unreadable', faultDetail(keys))];
    case 'read':
      if (keys.keys === null) return [observe('keys_unreadable', 'The member `keys` is not a list of keys.')];
      if (common.length === 0 || keys.algorithms.some((algorithm) => common.includes(algorithm))) return [];
      return [observe('keys_unusable', `${keys.keys} keys, none for ${words(common)}.`)];
  }
}

function faultDetail(fault: DocumentFault): string {
  switch (fault.kind) {
    case 'unreachable':
      return `${fault.url}: ${fault.code}.`;
    case 'status':
      return `${fault.url} answered ${fault.status}.`;
    case 'unreadable':
      return `${fault.url} holds no usable JSON object.`;
  }
}

function judgeRule(facts: ProviderFacts, ruleFacts: RuleFacts, now: Date): Observation[] {
  const { rule } = ruleFacts;
  const observations = [
    ...judgeTrial(ruleFacts),
    ...judgeRefusals(ruleFacts),
    ...judgeKeyPair(ruleFacts, now),
    ...(facts.metadata === null ? [] : judgeWishes(facts, facts.metadata, ruleFacts)),
    ...judgeProfile(facts.profile, ruleFacts),
  ];
  return observations.map((observation) => ({ ...observation, rule }));
}

/** Answers about the request, which does not exist: the client has passed. */
const codesAfterTheClient = new Set([
  'access_denied',
  'authorization_pending',
  'expired_token',
  'invalid_grant',
  'slow_down',
  'transaction_failed',
]);

/**
 * What an answer to the trial call says about the client. One that is registered for push has nothing to ask a token
 * endpoint for, which says so with `unauthorized_client` (CIBA Core 1.0 §11).
 */
function isAccepted({ trial, asks }: Pick<RuleFacts, 'trial' | 'asks'>): boolean {
  if (trial.kind !== 'answered' || trial.carriesTokens) return false;
  if (asks.deliveryMode === 'push' && trial.error === 'unauthorized_client') return true;
  return codesAfterTheClient.has(trial.error ?? '');
}

function judgeTrial(ruleFacts: RuleFacts): Observation[] {
  const { trial, credentials } = ruleFacts;
  if (credentials.type === 'gone') return [observe('client_credentials_missing', 'Nothing was sent.')];
  switch (trial.kind) {
    case 'not-tried':
      return [
        trial.why === 'time'
          ? observe('client_not_tried', 'There was no time left.')
          : observe('client_not_tried', 'The metadata does not allow for it.'),
      ];
    case 'unready':
      return [observe('client_unready', `${trial.detail}.`)];
    case 'no-answer':
      return [
        credentials.type === 'mutual-tls' && isRefusedCertificate(trial.code)
          ? observe('client_certificate_refused', `The token endpoint ended the connection: ${trial.code}.`)
          : observe('client_not_tried', `The token endpoint gave no answer: ${trial.code}.`),
      ];
    case 'answered':
      return [judgeAnswer(trial, credentials.type, ruleFacts)];
  }
}

/** A client that was just accepted is refused no more. */
function judgeRefusals(ruleFacts: RuleFacts): Observation[] {
  const { refusals = [] } = ruleFacts;
  if (isAccepted(ruleFacts)) return [];
  return refusals.map(({ call, error, firstAt, lastAt, pausedUntil }) => {
    const [since, last, until] = [firstAt, lastAt, pausedUntil].map((time) => time.toISOString());
    const detail = `The ${call} call was answered ${words([error])} since ${since}, last at ${last}; paused until ${until}.`;
    return observe('client_calls_paused', detail);
  });
}

/** A TLS alert says so; many servers just hang up right after the handshake. */
function isRefusedCertificate(code: string): boolean {
  return /^ERR_SSL_.*ALERT/.test(code) || ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(code);
}

const refusals = {
  secret: 'client_secret_refused',
  'private-key-jwt': 'client_assertion_refused',
  'mutual-tls': 'client_certificate_not_recognised',
} as const;

function judgeAnswer(
  trial: Extract<TrialFact, { kind: 'answered' }>,
  credentials: keyof typeof refusals,
  ruleFacts: RuleFacts,
): Observation {
  const { status, error, carriesTokens } = trial;
  const detail = `The token endpoint answered ${status}${error === null ? '' : ` ${error}`} to client "${ruleFacts.clientId}".`;
  if (carriesTokens) return observe('made_up_request_approved', detail);
  if (isAccepted(ruleFacts)) return observe('client_accepted', detail);
  if (error === 'unauthorized_client' || error === 'unsupported_grant_type') {
    return observe('client_lacks_grant', detail);
  }
  // 495 and 496 are how some gateways say that a certificate is missing or bad.
  if (status === 495 || status === 496) return observe('client_certificate_refused', detail);
  if (error === 'invalid_client' || status === 401) return observe(refusals[credentials], detail);
  if (status === 429 || status >= 500) return observe('client_not_tried', detail);
  return observe('client_answer_unclear', detail);
}

function judgeKeyPair({ credentials }: RuleFacts, now: Date): Observation[] {
  if (credentials.type !== 'mutual-tls' || credentials.certificate === null) return [];
  const { notBefore, notAfter } = credentials.certificate;
  const leftMs = notAfter.getTime() - now.getTime();
  const detail = `Valid from ${notBefore.toISOString()} until ${notAfter.toISOString()}.`;
  if (leftMs <= 0) return [observe('key_pair_expired', detail)];
  if (notBefore > now) return [observe('key_pair_not_yet_valid', detail)];
  return leftMs <= 30 * dayMs ? [observe('key_pair_expires_soon', detail)] : [];
}

function judgeWishes({ profile }: ProviderFacts, metadata: Metadata, ruleFacts: RuleFacts): Observation[] {
  const { asks } = ruleFacts;
  const modes =
    listOf(metadata, 'backchannel_token_delivery_modes_supported') ?? providerProfiles[profile].deliveryModes;
  return [
    ...(modes === null || modes.some((mode) => mode === asks.deliveryMode)
      ? []
      : [observe('delivery_mode_not_offered', `Asked: ${asks.deliveryMode} · offered: ${words(modes)}.`)]),
    ...judgeMethod(metadata, ruleFacts),
    ...judgeListed('scope_not_offered', asks.scopes, listOf(metadata, 'scopes_supported')),
    ...judgeListed('acr_not_offered', asks.acrValues, listOf(metadata, 'acr_values_supported')),
    ...judgeListed(
      'detail_type_not_offered',
      asks.detailTypes,
      listOf(metadata, 'authorization_details_types_supported'),
    ),
    ...judgeSignedRequest(metadata, ruleFacts),
    ...judgePairwise(metadata, ruleFacts),
  ];
}

function judgeListed(code: FindingCode, asked: readonly string[], offered: readonly string[] | null): Observation[] {
  if (offered === null) return [];
  const missing = asked.filter((value) => !offered.includes(value));
  return missing.length === 0 ? [] : [observe(code, `Not listed: ${words(missing)} · listed: ${words(offered)}.`)];
}

function judgeMethod(metadata: Metadata, ruleFacts: RuleFacts): Observation[] {
  const offered = listOf(metadata, 'token_endpoint_auth_methods_supported');
  const asked = methodsOf(ruleFacts.credentials);
  if (offered === null || asked.length === 0 || asked.some((method) => offered.includes(method))) return [];
  const code = isAccepted(ruleFacts) ? 'authentication_method_unlisted' : 'authentication_method_not_offered';
  return [observe(code, `Asked: ${asked.join(' or ')} · offered: ${words(offered)}.`)];
}

function methodsOf(credentials: RuleFacts['credentials']): readonly string[] {
  switch (credentials.type) {
    case 'gone':
      return [];
    case 'secret':
      return credentials.method === null
        ? ['client_secret_basic', 'client_secret_post', 'client_secret_jwt']
        : [credentials.method];
    case 'private-key-jwt':
      return ['private_key_jwt'];
    case 'mutual-tls':
      return credentials.method === null ? ['tls_client_auth', 'self_signed_tls_client_auth'] : [credentials.method];
  }
}

/** Signed requests are asymmetric or nothing (CIBA Core 1.0 §7.1.1). */
function judgeSignedRequest(metadata: Metadata, { signing }: RuleFacts): Observation[] {
  if (signing === null) return [];
  const { algorithm } = signing;
  const offered = listOf(metadata, 'backchannel_authentication_request_signing_alg_values_supported') ?? [];
  const usable = offered.filter((offer) => !/^(HS|none)/.test(offer));
  if (algorithm === null ? usable.length > 0 : usable.includes(algorithm)) return [];
  return [observe('signing_algorithm_not_offered', `Asked: ${algorithm ?? 'any'} · offered: ${words(offered)}.`)];
}

function judgePairwise(metadata: Metadata, { asks, credentials, signing }: RuleFacts): Observation[] {
  const subjectTypes = listOf(metadata, 'subject_types_supported');
  const pairwiseOnly = subjectTypes !== null && subjectTypes.includes('pairwise') && !subjectTypes.includes('public');
  const provesKey = credentials.type !== 'secret' || signing !== null || asks.deliveryMode === 'push';
  return pairwiseOnly && !provesKey
    ? [observe('pairwise_without_proof', `Offered subject types: ${words(subjectTypes)}.`)]
    : [];
}

function judgeProfile(profile: ProviderProfileName, ruleFacts: RuleFacts): Observation[] {
  const { asks, credentials } = ruleFacts;
  const longest = longestExpirySeconds[profile];
  const advice = prerequisites[profile];
  return [
    ...(credentials.type === 'mutual-tls' && !providerProfiles[profile].mutualTls && !isAccepted(ruleFacts)
      ? [observe('mutual_tls_impossible', `Profile: ${profile}.`)]
      : []),
    ...(longest !== undefined && (asks.requestedExpirySeconds ?? 0) > longest
      ? [
          observe(
            'requested_expiry_shortened',
            `Asked: ${asks.requestedExpirySeconds} s · usual lifetime there: ${longest} s.`,
          ),
        ]
      : []),
    ...(advice === undefined ? [] : [observe('provider_prerequisites', advice)]),
  ];
}

/** Words of a stranger, made safe to show: printable, not too many, not too long. */
function words(values: readonly string[]): string {
  if (values.length === 0) return 'nothing';
  const clean = values.slice(0, shown).map((value) => value.slice(0, 100).replace(/[^\x20-\x7E]/g, '\uFFFD'));
  return clean.join(', ') + (values.length > shown ? `, and ${values.length - shown} more` : '');
}
