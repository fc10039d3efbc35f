import type { SigningKeyList } from '#lib/contracts';
import { useQuery } from '@tanstack/react-query';
import { call } from './client.js';

const path = '/v1/signing-keys';

/** What Assent signs with. */
export const useSigningKeys = () =>
  useQuery({
    queryKey: [path],
    queryFn: async ({ signal }) => (await call<SigningKeyList>('GET', path, { signal })).data,
  });

/** The key set as everybody may read it. */
export const useKeySet = (wanted: boolean) =>
  useQuery({
    queryKey: ['/.well-known/jwks.json'],
    queryFn: ({ signal }) => call<object>('GET', '/.well-known/jwks.json', { signal }),
    enabled: wanted,
  });
