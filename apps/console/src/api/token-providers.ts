import type { ProviderCheck, TokenProvider, TokenProviderBody } from '#lib/contracts';
import { useMutation } from '@tanstack/react-query';
import { adminResource } from './admin-resource.js';
import { call } from './client.js';

export const tokenProviders = adminResource<TokenProvider, TokenProviderBody>('/v1/token-providers');

/** Has the doctor look at a token provider and its rules. */
export function useCheckTokenProvider() {
  const refresh = tokenProviders.useRefresh();
  return useMutation({
    mutationFn: (id: string) => call<ProviderCheck>('POST', `${tokenProviders.path}/${id}/check`),
    // The look is recorded as the state of discovery.
    onSuccess: () => refresh(),
  });
}
