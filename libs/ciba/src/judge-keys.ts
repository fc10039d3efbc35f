import type { DocumentFault, KeysFact } from './doctor-facts.js';
import { acceptedAlgorithms } from './evidence.js';
import { listedValues } from './listed-values.js';
import { observe, words, type Observation } from './observation.js';
import type { MetadataDocument } from './provider-metadata.js';

/** Whether ID tokens of the provider can be verified: an algorithm that both sides take, and a key for it. */
export function judgeKeys(keys: KeysFact, metadata: MetadataDocument): Observation[] {
  const offered = listedValues(metadata, 'id_token_signing_alg_values_supported');
  const common = acceptedAlgorithms.filter((algorithm) => offered?.includes(algorithm) ?? true);
  const algorithms =
    offered === null
      ? [observe('id_token_algorithms_unsaid', 'id_token_signing_alg_values_supported is missing.')]
      : common.length === 0
        ? [observe('id_token_algorithms_unsupported', `Offered: ${words(offered)}.`)]
        : [];
  return [...algorithms, ...judgeKeyDocument(keys, common)];
}

function judgeKeyDocument(keys: KeysFact, common: readonly string[]): Observation[] {
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
