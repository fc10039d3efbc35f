import type { KeyObject, X509Certificate } from 'node:crypto';

/** What an import brought, before anything of it was judged. */
export interface KeyMaterial {
  readonly privateKey: KeyObject;
  /** In whatever order they came. */
  readonly certificates: readonly X509Certificate[];
}

/** More certificates than any chain has. */
export const maxCertificates = 20;
