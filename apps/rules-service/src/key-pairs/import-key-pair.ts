import type { X509Certificate } from 'node:crypto';
import type { KeyPairImport } from '#lib/contracts';
import type { NewKeyPair } from '#lib/persistence';
import { invalidMember } from '../http/invalid-member.js';
import { orderedChain } from './certificate-chain.js';
import { certificateFacts } from './certificate-facts.js';
import { strongKeyAlgorithm } from './key-strength.js';
import { readPem } from './read-pem.js';
import { readPkcs12 } from './read-pkcs12.js';

/**
 * Makes a key pair of what was uploaded: the chain in order, the private key as PKCS#8. An expired certificate is taken
 * with a warning.
 *
 * @throws ProblemError `invalid_key_pair`
 */
export function importKeyPair(body: KeyPairImport, now: Date): NewKeyPair {
  const keyPointer = body.pem ? '/pem/privateKey' : '/pkcs12';
  const { privateKey, certificates } = body.pem
    ? readPem(body.pem, body.password)
    : readPkcs12(body.pkcs12 ?? '', body.password);
  const keyAlgorithm = strongKeyAlgorithm(privateKey, keyPointer);
  const ordered = orderedChain(certificates, privateKey);
  if (ordered === null) {
    throw invalidMember(keyPointer, 'None of the certificates belongs to this private key.', 'invalid_key_pair');
  }
  const { chain, unrelated } = ordered;
  return {
    alias: body.alias,
    certificateChainPem: chain.map((certificate) => certificate.toString()),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    facts: {
      ...certificateFacts(chain[0]!),
      keyAlgorithm,
      warnings: [...validityWarnings(chain[0]!, now), ...unrelatedWarnings(unrelated)],
    },
  };
}

function validityWarnings({ validFrom, validTo }: X509Certificate, now: Date): string[] {
  if (new Date(validTo) <= now) return [`The certificate expired on ${dayOf(validTo)}.`];
  if (new Date(validFrom) > now) return [`The certificate is not valid before ${dayOf(validFrom)}.`];
  return [];
}

function unrelatedWarnings(unrelated: readonly X509Certificate[]): string[] {
  if (unrelated.length === 0) return [];
  return [`${unrelated.length} of the certificates did not belong to the chain and were left out.`];
}

const dayOf = (text: string): string => new Date(text).toISOString().slice(0, 10);
