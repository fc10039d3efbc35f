import type { KeyPairImport } from '#lib/contracts';
import type { NewKeyPair } from '#lib/persistence';
import { certifiedKey } from './certified-key.js';
import { readPem } from './read-pem.js';
import { readPkcs12 } from './read-pkcs12.js';

/**
 * Makes a key pair of what was uploaded: the chain in order, the private key as PKCS#8.
 *
 * @throws ProblemError `invalid_key_pair`
 */
export function importKeyPair(body: KeyPairImport, now: Date): NewKeyPair {
  const { privateKey, certificates } = body.pem
    ? readPem(body.pem, body.password)
    : readPkcs12(body.pkcs12 ?? '', body.password);
  const pointers = body.pem
    ? { key: '/pem/privateKey', certificate: '/pem/certificate' }
    : { key: '/pkcs12', certificate: '/pkcs12' };
  return {
    alias: body.alias,
    ...certifiedKey(privateKey, certificates, now, pointers),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
