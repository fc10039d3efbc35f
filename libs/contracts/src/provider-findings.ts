/** What the check of a token provider can find; `docs/operations.md` and the CLI show the same words. */

export const findingSeverities = ['error', 'warning', 'note'] as const;
/** `error`: requests fail, or will within a week. `warning`: they may. `note`: good to know. */
export type FindingSeverity = (typeof findingSeverities)[number];

export const findingSubjects = ['discovery', 'tls', 'clock', 'ciba', 'client-authentication', 'rule', 'keys'] as const;
export type FindingSubject = (typeof findingSubjects)[number];

/** What is the same each time that something is found. */
export interface FindingMeaning {
  readonly severity: FindingSeverity;
  readonly about: FindingSubject;
  readonly title: string;
  readonly remedy: string;
}

const meaning =
  (severity: FindingSeverity, about: FindingSubject) =>
  (title: string, remedy: string): FindingMeaning => ({ severity, about, title, remedy });

const inDiscovery = meaning('error', 'discovery');
const inTls = meaning('error', 'tls');
const inCiba = meaning('error', 'ciba');
const inKeys = meaning('error', 'keys');
const inClient = meaning('error', 'client-authentication');
const inRule = meaning('error', 'rule');

/** Every finding, by its code. */
export const providerFindings = {
  discovery_unreachable: inDiscovery(
    'The discovery document cannot be fetched',
    'Check the issuer, DNS and the way through the firewall from this machine, then check again.',
  ),
  discovery_refused_by_guard: inDiscovery(
    'Assent may not call this address',
    'Put the provider’s network into ASSENT_ALLOWED_NETWORKS; a provider on this machine needs ASSENT_ALLOW_LOOPBACK=true.',
  ),
  discovery_not_found: inDiscovery(
    'There is no discovery document',
    'Correct the issuer; if the provider publishes no document, write its metadata into `metadata`.',
  ),
  discovery_unavailable: inDiscovery(
    'The provider fails when it is asked for its discovery document',
    'Look at the provider’s own log and health; check again when it answers.',
  ),
  discovery_unreadable: inDiscovery(
    'The discovery document is not a JSON object that everybody reads alike',
    'Have the provider publish one JSON object of at most 256 KiB without repeated members; or write its metadata into `metadata`.',
  ),
  discovery_explicit: meaning('note', 'discovery')(
    'The metadata is written by hand',
    'Keep it in step with the provider; set `metadata` to null to use discovery.',
  ),
  profile_unlikely: meaning('warning', 'discovery')(
    'The issuer looks like that of a provider of another kind',
    'Set the token provider’s `profile` to the one that `detail` names: what is peculiar about such a provider is not taken into account now.',
  ),
  issuer_trailing_slash: inDiscovery(
    'The issuer differs by a trailing slash',
    'Write the issuer exactly as the provider does, character by character: ID tokens are compared with it in the same way.',
  ),
  issuer_mismatch: inDiscovery(
    'The metadata belongs to another issuer',
    'Copy the `issuer` member of the provider’s discovery document into the token provider.',
  ),
  issuer_unusable: inDiscovery(
    'The issuer is no address that may be called',
    'Give the https address of the provider.',
  ),
  metadata_member_missing: inDiscovery(
    'The metadata lacks a member that every rule needs',
    'Have the provider publish it, or write the metadata into `metadata`.',
  ),
  metadata_address_unusable: inDiscovery(
    'The metadata holds an address that will not be called',
    'Have the provider publish an https address without user name and password.',
  ),
  address_unreachable: inDiscovery(
    'An address of the metadata cannot be reached',
    'Check DNS and the way through the firewall from this machine; an address inside your network needs ASSENT_ALLOWED_NETWORKS.',
  ),
  metadata_malformed: inDiscovery(
    'A member of the metadata is not a list',
    'Have the provider publish a JSON array there, or write the metadata into `metadata`.',
  ),
  tls_not_used: meaning('warning', 'tls')(
    'The connection is not encrypted',
    'Use https; plain http is for development on one machine.',
  ),
  tls_certificate_expired: inTls('The server certificate has expired', 'Renew the provider’s server certificate.'),
  tls_certificate_expires_this_week: inTls(
    'The server certificate expires within a week',
    'Renew the provider’s server certificate now.',
  ),
  tls_certificate_expires_soon: meaning('warning', 'tls')(
    'The server certificate expires within 30 days',
    'Renew the provider’s server certificate.',
  ),
  tls_certificate_not_yet_valid: inTls(
    'The server certificate is not valid yet',
    'Check the clock of this machine and the dates of the certificate.',
  ),
  tls_certificate_untrusted: inTls(
    'The server certificate comes from nobody who is trusted',
    'Put the certificate authority’s certificate (PEM) into `trustedCertificates`; when that list has entries, only they are trusted. A server must send its intermediate certificates itself.',
  ),
  tls_certificate_for_another_name: inTls(
    'The server certificate is for another host name',
    'Use the name that stands in the certificate, or have a certificate issued for this one.',
  ),
  tls_failed: inTls(
    'The TLS connection cannot be made',
    'See that the server speaks TLS 1.2 or 1.3 on this port and that nothing in between breaks the connection.',
  ),
  clock_difference: meaning('warning', 'clock')(
    'The clocks differ',
    'Synchronise both clocks (NTP); beyond 60 seconds approvals are refused.',
  ),
  clock_far_off: meaning('error', 'clock')(
    'The clocks differ by more than a minute',
    'Synchronise both clocks (NTP): ID tokens look expired or not yet issued, and client assertions are refused.',
  ),
  clock_unknown: meaning('note', 'clock')(
    'The provider does not tell its time',
    'See that its clock is synchronised; it sends no `Date` header to compare with.',
  ),
  ciba_not_offered: inCiba(
    'The provider offers no CIBA',
    'Switch CIBA on at the provider; its metadata must name `backchannel_authentication_endpoint`.',
  ),
  ciba_grant_missing: inCiba(
    'The CIBA grant is not among the provider’s grant types',
    'Switch on the grant `urn:openid:params:grant-type:ciba` at the provider.',
  ),
  ciba_grant_unsaid: meaning('warning', 'ciba')(
    'The provider does not say which grant types it offers',
    'Nothing, if rules work; otherwise have it publish `grant_types_supported`.',
  ),
  delivery_modes_unsaid: meaning('warning', 'ciba')(
    'The provider does not say how it delivers answers',
    'Nothing, if rules work; otherwise have it publish `backchannel_token_delivery_modes_supported`.',
  ),
  delivery_modes_unknown: inCiba(
    'The provider offers no way of delivery that exists',
    'Have it offer poll, ping or push in `backchannel_token_delivery_modes_supported`.',
  ),
  user_code_unsupported: meaning('note', 'ciba')(
    'The provider takes no user codes',
    'Send no `userCode` with authorization requests; if people have codes, have the provider publish `backchannel_user_code_parameter_supported: true`.',
  ),
  keys_unreachable: inKeys(
    'The provider’s keys cannot be fetched',
    'Check that `jwks_uri` can be reached from this machine: without keys no approval can be verified.',
  ),
  keys_unreadable: inKeys(
    'The key document holds no usable list of keys',
    'Have the provider publish a JWK Set (RFC 7517) of at most 100 keys at `jwks_uri`.',
  ),
  keys_unusable: inKeys(
    'None of the provider’s keys can verify an ID token',
    'Have the provider sign ID tokens with PS256, ES256, EdDSA or RS256, and publish the public key with a fitting `kty`, `crv`, `use` and `alg`.',
  ),
  id_token_algorithms_unsupported: inKeys(
    'The provider signs ID tokens with no algorithm that is accepted',
    'Have it sign with PS256, ES256, EdDSA or RS256 and list that in `id_token_signing_alg_values_supported`.',
  ),
  id_token_algorithms_unsaid: meaning('note', 'keys')(
    'The provider does not say how it signs ID tokens',
    'Nothing: PS256, ES256, EdDSA and RS256 are accepted.',
  ),
  client_accepted: meaning('note', 'client-authentication')(
    'The provider accepts the client',
    'Nothing: it was tried with a made-up request, and nobody was prompted.',
  ),
  client_secret_refused: inClient(
    'The provider refuses the client id or its secret',
    'Compare the client id, set the secret again, and see that `clientCredentials.method` is the method registered at the provider.',
  ),
  client_assertion_refused: inClient(
    'The provider refuses the client’s signed assertion',
    'Register this service’s `/.well-known/jwks.json` as the client’s `jwks_uri` and `private_key_jwt` as its method; see that the client id is right, the clocks agree and `profile` fits the provider.',
  ),
  client_certificate_refused: inClient(
    'The provider refuses the client certificate in the TLS handshake',
    'See that the provider trusts the issuer of the key pair’s certificate and that the certificate is valid.',
  ),
  client_certificate_not_recognised: inClient(
    'The provider takes the certificate and does not recognise the client by it',
    'Compare the certificate’s subject or alternative names (or, for a self-signed one, its key) with the client’s registration, and see that the mTLS addresses are in `mtls_endpoint_aliases`.',
  ),
  client_lacks_grant: inClient(
    'The client may not use CIBA',
    'Give this client the grant `urn:openid:params:grant-type:ciba` at the provider.',
  ),
  client_calls_paused: meaning('warning', 'client-authentication')(
    'Calls of this client wait, because the provider has refused it',
    'Mend what `detail` names. A check that finds the client accepted ends the pause at once; so does a change of the rule, its token provider or its key pair.',
  ),
  client_unready: inClient(
    'The client’s credentials cannot be used',
    'Set the rule’s credentials again; `detail` says what is wrong with them.',
  ),
  client_credentials_missing: inClient(
    'The client’s credentials are gone',
    'Set the rule’s credentials again: the secret or the key pair is no longer there.',
  ),
  client_not_tried: meaning('warning', 'client-authentication')(
    'Whether the provider accepts the client could not be found out',
    'Remove what the other findings name, then check again.',
  ),
  client_answer_unclear: meaning('warning', 'client-authentication')(
    'The answer to the trial call says neither yes nor no to the client',
    'Look into the provider’s log at `checkedAt`; try the rule with a person who expects to be asked.',
  ),
  made_up_request_approved: inClient(
    'The token endpoint gave tokens for a request that never was',
    'Do not use this provider: its answers prove nothing. See whether the address is that of a stub.',
  ),
  authentication_method_not_offered: inClient(
    'The provider does not offer the rule’s way of client authentication',
    'Choose credentials that the provider lists in `token_endpoint_auth_methods_supported`.',
  ),
  authentication_method_unlisted: meaning('note', 'client-authentication')(
    'The provider accepts a way of client authentication that it does not list',
    'Nothing; it may list it in `token_endpoint_auth_methods_supported`.',
  ),
  mutual_tls_impossible: inClient(
    'Providers of this kind know no client certificates',
    'Use a client secret or private_key_jwt in this rule, or correct the token provider’s `profile`.',
  ),
  pairwise_without_proof: meaning('warning', 'client-authentication')(
    'Pairwise subjects need a client that proves its key',
    'Use private_key_jwt or a self-signed certificate in this rule (CIBA Core 1.0 §4).',
  ),
  key_pair_expired: inKeys('The client certificate has expired', 'Import a new key pair and choose it in the rule.'),
  key_pair_not_yet_valid: inKeys(
    'The client certificate is not valid yet',
    'Check the clock of this machine and the dates of the certificate.',
  ),
  key_pair_expires_soon: meaning('warning', 'keys')(
    'The client certificate expires within 30 days',
    'Import a new key pair, register it at the provider, and choose it in the rule.',
  ),
  delivery_mode_not_offered: inRule(
    'The provider does not offer the rule’s delivery mode',
    'Set the rule’s `deliveryMode` to one that the provider offers.',
  ),
  scope_not_offered: meaning('warning', 'rule')(
    'The provider does not list a scope of the rule',
    'Check the spelling; a provider may keep scopes off its list, and then nothing is wrong.',
  ),
  acr_not_offered: meaning('warning', 'rule')(
    'The provider does not list an authentication context of the rule',
    'Check the spelling; approvals with another `acr` than those of the rule are refused.',
  ),
  detail_type_not_offered: meaning('warning', 'rule')(
    'The provider does not list a type of the rule’s authorization details',
    'Check the spelling, or have the provider take the type: one that it does not know it refuses (`authorization_details_types_supported`).',
  ),
  signing_algorithm_not_offered: inRule(
    'The provider takes no signed requests as the rule makes them',
    'Set `signedRequest` to an algorithm in `backchannel_authentication_request_signing_alg_values_supported`, or to false.',
  ),
  requested_expiry_shortened: meaning('warning', 'rule')(
    'The provider will not wait as long as the rule asks',
    'Raise the lifetime of requests at the provider, or lower `requestedExpirySeconds`: this provider takes it to shorten only.',
  ),
  provider_prerequisites: meaning('note', 'rule')(
    'This kind of provider asks for more than settings show',
    'See that each point of `detail` is done at the provider.',
  ),
  rules_left_out: meaning('note', 'rule')(
    'Only the first 50 rules were looked at',
    'Remove rules that nobody uses, or give them a token provider of their own.',
  ),
} as const satisfies Readonly<Record<string, FindingMeaning>>;

/** The codes are part of the contract: scripts may rely on them. */
export type FindingCode = keyof typeof providerFindings;
export const findingCodes = Object.keys(providerFindings) as [FindingCode, ...FindingCode[]];
