import type { KeyObject, X509Certificate } from 'node:crypto';
import type { NewKeyPair } from '#lib/persistence';
import { invalidMember } from '../http/invalid-member.js';
import { orderedChain } from './certificate-chain.js';
import { certificateFacts } from './certificate-facts.js';
import { refuseWeakChain } from './certificate-strength.js';
import { strongKeyAlgorithm } from './key-strength.js';

/** Where in the body what stands, for problems. */
export interface KeyPointers {
  readonly key: string;
  readonly certificate: string;
}

/**
 * Joins a private key with its certificates: the chain in order, each link checked with the key of the next.
 *
 * @throws ProblemError `invalid_key_pair`
 */
export function certifiedKey(
  privateKey: KeyObject,
  certificates: readonly X509Certificate[],
  now: Date,
  pointers: KeyPointers,
): Pick<NewKeyPair, 'certificateChainPem' | 'facts'> {
  const keyAlgorithm = strongKeyAlgorithm(privateKey, pointers.key);
  const ordered = orderedChain(certificates, privateKey);
  if (ordered === null) {
    throw invalidMember(pointers.key, 'None of the certificates belongs to this private key.', 'invalid_key_pair');
  }
  const { chain, unrelated } = ordered;
  refuseWeakChain(chain, now, pointers.certificate);
  return {
    certificateChainPem: chain.map((certificate) => certificate.toString()),
    facts: {
      ...certificateFacts(chain[0]!),
      keyAlgorithm,
      warnings: [...validityWarnings(chain[0]!, now), ...unrelatedWarnings(unrelated)],
    },
  };
}

function validityWarnings({ validFrom }: X509Certificate, now: Date): string[] {
  const begins = new Date(validFrom);
  return begins > now ? [`The certificate is not valid before ${begins.toISOString().slice(0, 10)}.`] : [];
}

function unrelatedWarnings(unrelated: readonly X509Certificate[]): string[] {
  if (unrelated.length === 0) return [];
  return [`${unrelated.length} of the certificates did not belong to the chain and were left out.`];
}
