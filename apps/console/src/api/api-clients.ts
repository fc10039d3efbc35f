import type { ApiClient, CreatedApiClient, RotatedApiClient } from '#lib/contracts';
import type { apiClientBody, apiClientPatch, rotateKeyBody } from '#lib/contracts';
import { useMutation } from '@tanstack/react-query';
import type { z } from 'zod';
import { adminResource } from './admin-resource.js';
import { call } from './client.js';

export const apiClients = adminResource<
  ApiClient,
  z.input<typeof apiClientBody>,
  z.input<typeof apiClientPatch>,
  CreatedApiClient
>('/v1/api-clients');

/** Makes a new key, which only this answer shows. */
export function useRotateKey() {
  const refresh = apiClients.useRefresh();
  return useMutation({
    mutationFn: ({ id, body }: { id: string; body: z.input<typeof rotateKeyBody> }) =>
      call<RotatedApiClient>('POST', `${apiClients.path}/${id}/rotate`, { body }),
    onSuccess: () => refresh(),
  });
}
