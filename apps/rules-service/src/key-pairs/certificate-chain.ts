import type { KeyObject, X509Certificate } from 'node:crypto';

/** A chain in the order in which TLS sends it, and what did not belong to it. */
export interface OrderedChain {
  /** The certificate of the key first, then each issuer. */
  readonly chain: readonly X509Certificate[];
  readonly unrelated: readonly X509Certificate[];
}

/** Puts certificates in order, beginning with the one that belongs to the key; null when none of them does. */
export function orderedChain(certificates: readonly X509Certificate[], privateKey: KeyObject): OrderedChain | null {
  const distinct = [...new Map(certificates.map((certificate) => [certificate.fingerprint256, certificate])).values()];
  const own = distinct.find((certificate) => certificate.checkPrivateKey(privateKey));
  if (own === undefined) return null;
  const chain = [own];
  for (let issuer = issuerOf(own, distinct); issuer && !chain.includes(issuer); issuer = issuerOf(issuer, distinct)) {
    chain.push(issuer);
  }
  return { chain, unrelated: distinct.filter((certificate) => !chain.includes(certificate)) };
}

const issuerOf = (certificate: X509Certificate, candidates: readonly X509Certificate[]): X509Certificate | undefined =>
  candidates.find(
    (candidate) =>
      candidate !== certificate && certificate.checkIssued(candidate) && certificate.verify(candidate.publicKey),
  );
