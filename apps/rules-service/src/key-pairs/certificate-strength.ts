import 'reflect-metadata';
import type { X509Certificate } from 'node:crypto';
import { X509Certificate as ParsedCertificate } from '@peculiar/x509';
import { invalidMember } from '../http/invalid-member.js';
import { strongKeyAlgorithm } from './key-strength.js';

const strongHashes = ['SHA-256', 'SHA-384', 'SHA-512'];
const strongWithoutHash = ['Ed25519', 'Ed448', 'EdDSA'];

/**
 * Refuses a chain that no careful peer would take: a link that has ended, a signature over a broken hash, an issuer that is
 * no authority or has a weak key. What a root says about itself is believed by whoever has it, not proven, so the hash of
 * its own signature does not matter.
 *
 * @throws ProblemError `invalid_key_pair`
 */
export function refuseWeakChain(chain: readonly X509Certificate[], now: Date, pointer: string): void {
  chain.forEach((certificate, place) => {
    const whose = place === 0 ? 'The certificate' : `Certificate ${place + 1} of the chain`;
    const ended = new Date(certificate.validTo);
    if (ended <= now)
      throw refused(pointer, `${whose} expired on ${ended.toISOString().slice(0, 10)}. Use a newer one.`);
    if (place > 0) {
      if (!certificate.ca) throw refused(pointer, `${whose} may not issue certificates: it is no authority.`);
      strongKeyAlgorithm(certificate.publicKey, pointer);
    }
    const isRoot = place > 0 && certificate.checkIssued(certificate);
    if (!isRoot && !hasStrongSignature(certificate)) {
      throw refused(
        pointer,
        `${whose} is signed with an algorithm that is not safe. Have it signed with SHA-256 or more.`,
      );
    }
  });
}

function hasStrongSignature({ raw }: X509Certificate): boolean {
  const { name, hash } = new ParsedCertificate(raw).signatureAlgorithm as { name: string; hash?: { name: string } };
  return hash === undefined ? strongWithoutHash.includes(name) : strongHashes.includes(hash.name);
}

const refused = (pointer: string, detail: string) => invalidMember(pointer, detail, 'invalid_key_pair');
