import type { CertificateReplacement, CertificateRequest, KeyPair, KeyPairImport, KeyPairPatch } from '#lib/contracts';
import { useMutation } from '@tanstack/react-query';
import { adminResource, type Replacement } from './admin-resource.js';
import { call } from './client.js';

export const keyPairs = adminResource<KeyPair, KeyPairImport, KeyPairPatch>('/v1/key-pairs');

/** Makes the request that an authority is asked with. */
export const useCertificateRequest = () =>
  useMutation({
    mutationFn: async (id: string) => (await call<CertificateRequest>('GET', `${keyPairs.path}/${id}/csr`)).csr,
  });

/** Puts the certificate that an authority has issued in the place of the one that is there. */
export function useReplaceCertificate() {
  const refresh = keyPairs.useRefresh();
  return useMutation({
    mutationFn: ({ id, version, body }: Replacement<CertificateReplacement>) =>
      call<KeyPair>('PUT', `${keyPairs.path}/${id}/certificate`, { body, version }),
    onSuccess: (keyPair) => refresh(keyPair),
  });
}
