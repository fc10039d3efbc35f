import { createPrivateKey } from 'node:crypto';
import type { CertificateReplacement } from '#lib/contracts';
import type { Acting, Database, KeyPairRow, UpdateResult } from '#lib/persistence';
import { certifiedKey } from './certified-key.js';
import { certificatesIn } from './read-pem.js';

/** What to put in the place, on whose behalf, and when. */
export interface ReplacementOrder {
  readonly body: CertificateReplacement;
  readonly acting: Acting;
  readonly now: Date;
}

/** Puts a new certificate in the place of the present one, for the same private key. */
export class ReplaceCertificate {
  constructor(private readonly keyPairs: Pick<Database['keyPairs'], 'privateKey' | 'replaceCertificate'>) {}

  /** @throws ProblemError `invalid_key_pair` for a certificate of another key, or one that nobody should use */
  async run({ id, version }: KeyPairRow, { body, acting, now }: ReplacementOrder): Promise<UpdateResult<KeyPairRow>> {
    const privateKeyPem = await this.keyPairs.privateKey(id);
    if (privateKeyPem === null) return { kind: 'not-found' };
    const certificates = certificatesIn(body.certificate, '/certificate');
    const pointers = { key: '/certificate', certificate: '/certificate' };
    const certified = certifiedKey(createPrivateKey(privateKeyPem), certificates, now, pointers);
    return this.keyPairs.replaceCertificate(id, version, certified, acting);
  }
}
