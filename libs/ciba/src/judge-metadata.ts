import type { ProviderFacts } from './doctor-facts.js';
import { listedValues } from './listed-values.js';
import { observe, words, type Observation } from './observation.js';
import type { MetadataDocument } from './provider-metadata.js';
import { providerProfiles } from './provider-profiles.js';
import type { ProviderProfileName } from './registration.js';

const cibaGrant = 'urn:openid:params:grant-type:ciba';
const knownDeliveryModes = ['poll', 'ping', 'push'];
const listMembers = [
  'grant_types_supported',
  'backchannel_token_delivery_modes_supported',
  'token_endpoint_auth_methods_supported',
  'id_token_signing_alg_values_supported',
];

/** Whether the provider offers CIBA to any client at all, by its own word (CIBA Core 1.0 §4). */
export function judgeMetadata(
  { unusableAddresses, profile }: Pick<ProviderFacts, 'unusableAddresses' | 'profile'>,
  metadata: MetadataDocument,
): Observation[] {
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
  ];
}

function judgeGrants(metadata: MetadataDocument): Observation[] {
  const grants = listedValues(metadata, 'grant_types_supported');
  if (grants === null) return [observe('ciba_grant_unsaid', 'grant_types_supported is missing.')];
  return grants.includes(cibaGrant) ? [] : [observe('ciba_grant_missing', `Offered: ${words(grants)}.`)];
}

function judgeDeliveryModes(metadata: MetadataDocument, profile: ProviderProfileName): Observation[] {
  const modes = listedValues(metadata, 'backchannel_token_delivery_modes_supported');
  if (modes === null) {
    if (providerProfiles[profile].deliveryModes !== null) return [];
    return [observe('delivery_modes_unsaid', 'backchannel_token_delivery_modes_supported is missing.')];
  }
  if (modes.some((mode) => knownDeliveryModes.includes(mode))) return [];
  return [observe('delivery_modes_unknown', `Offered: ${words(modes)}.`)];
}
