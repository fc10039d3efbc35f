import type { FindingCode } from '#lib/contracts';
import type { ProviderFacts, RuleFacts } from './doctor-facts.js';
import { listedValues } from './listed-values.js';
import { observe, words, type Observation } from './observation.js';
import type { MetadataDocument } from './provider-metadata.js';
import { providerProfiles } from './provider-profiles.js';
import type { ProviderProfileName } from './registration.js';

/** What providers of a kind want done beside what their metadata say. */
const prerequisites: Readonly<Partial<Record<ProviderProfileName, string>>> = {
  okta:
    'Okta: the client is a web application; a custom authenticator is bound to the organisation; each person has ' +
    'enabled CIBA transactions on the device; requests are signed only if the client has an algorithm registered.',
};

/** Lifetimes that a kind of provider gives by itself, where a rule can only ask for less. */
const longestExpirySeconds: Readonly<Partial<Record<ProviderProfileName, number>>> = { pingfederate: 120 };

/** What a rule would send, without what came of the trial. */
type Wishes = Pick<RuleFacts, 'asks' | 'credentials' | 'signing'>;

/**
 * Whether the provider offers what a rule asks of it, by its metadata as far as there are any, and by its profile.
 *
 * @param isAccepted whether the client was let in, which outweighs what the provider says of authentication.
 */
export function judgeWishes(
  { metadata, profile }: Pick<ProviderFacts, 'metadata' | 'profile'>,
  wishes: Wishes,
  isAccepted: boolean,
): Observation[] {
  return [
    ...(metadata === null ? [] : judgeOffer(metadata, profile, wishes, isAccepted)),
    ...judgeProfile(profile, wishes, isAccepted),
  ];
}

function judgeOffer(
  metadata: MetadataDocument,
  profile: ProviderProfileName,
  wishes: Wishes,
  isAccepted: boolean,
): Observation[] {
  const { asks, credentials } = wishes;
  const modes =
    listedValues(metadata, 'backchannel_token_delivery_modes_supported') ?? providerProfiles[profile].deliveryModes;
  return [
    ...(modes === null || modes.some((mode) => mode === asks.deliveryMode)
      ? []
      : [observe('delivery_mode_not_offered', `Asked: ${asks.deliveryMode} · offered: ${words(modes)}.`)]),
    ...judgeMethod(metadata, credentials, isAccepted),
    ...judgeListed('scope_not_offered', asks.scopes, listedValues(metadata, 'scopes_supported')),
    ...judgeListed('acr_not_offered', asks.acrValues, listedValues(metadata, 'acr_values_supported')),
    ...judgeListed(
      'detail_type_not_offered',
      asks.detailTypes,
      listedValues(metadata, 'authorization_details_types_supported'),
    ),
    ...judgeSignedRequest(metadata, wishes),
    ...judgePairwise(metadata, wishes),
  ];
}

function judgeListed(code: FindingCode, asked: readonly string[], offered: readonly string[] | null): Observation[] {
  if (offered === null) return [];
  const missing = asked.filter((value) => !offered.includes(value));
  return missing.length === 0 ? [] : [observe(code, `Not listed: ${words(missing)} · listed: ${words(offered)}.`)];
}

function judgeMethod(
  metadata: MetadataDocument,
  credentials: Wishes['credentials'],
  isAccepted: boolean,
): Observation[] {
  const offered = listedValues(metadata, 'token_endpoint_auth_methods_supported');
  const asked = methodsOf(credentials);
  if (offered === null || asked.length === 0 || asked.some((method) => offered.includes(method))) return [];
  const code = isAccepted ? 'authentication_method_unlisted' : 'authentication_method_not_offered';
  return [observe(code, `Asked: ${asked.join(' or ')} · offered: ${words(offered)}.`)];
}

function methodsOf(credentials: Wishes['credentials']): readonly string[] {
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
function judgeSignedRequest(metadata: MetadataDocument, { signing }: Wishes): Observation[] {
  if (signing === null) return [];
  const { algorithm } = signing;
  const offered = listedValues(metadata, 'backchannel_authentication_request_signing_alg_values_supported') ?? [];
  const usable = offered.filter((offer) => !/^(HS|none)/.test(offer));
  if (algorithm === null ? usable.length > 0 : usable.includes(algorithm)) return [];
  return [observe('signing_algorithm_not_offered', `Asked: ${algorithm ?? 'any'} · offered: ${words(offered)}.`)];
}

function judgePairwise(metadata: MetadataDocument, { asks, credentials, signing }: Wishes): Observation[] {
  const subjectTypes = listedValues(metadata, 'subject_types_supported');
  const pairwiseOnly = subjectTypes !== null && subjectTypes.includes('pairwise') && !subjectTypes.includes('public');
  const provesKey = credentials.type !== 'secret' || signing !== null || asks.deliveryMode === 'push';
  return pairwiseOnly && !provesKey
    ? [observe('pairwise_without_proof', `Offered subject types: ${words(subjectTypes)}.`)]
    : [];
}

function judgeProfile(profile: ProviderProfileName, wishes: Wishes, isAccepted: boolean): Observation[] {
  const { asks, credentials } = wishes;
  const longest = longestExpirySeconds[profile];
  const advice = prerequisites[profile];
  return [
    ...(credentials.type === 'mutual-tls' && !providerProfiles[profile].mutualTls && !isAccepted
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
