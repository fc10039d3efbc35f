import type {
  CreatedWebhookEndpoint,
  Delivery,
  Page,
  ReplayDeliveriesBody,
  ReplayedDeliveries,
  WebhookEndpoint,
  webhookEndpointBody,
  webhookEndpointPatch,
} from '#lib/contracts';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { z } from 'zod';
import { adminResource } from './admin-resource.js';
import { againHeaders } from './background.js';
import { call } from './client.js';

export const webhookEndpoints = adminResource<
  WebhookEndpoint,
  z.input<typeof webhookEndpointBody>,
  z.input<typeof webhookEndpointPatch>,
  CreatedWebhookEndpoint
>('/v1/webhook-endpoints');

const one = (id: string) => `${webhookEndpoints.path}/${encodeURIComponent(id)}`;
const deliveriesKey = (id: string) => [webhookEndpoints.path, id, 'deliveries'];
const everyMs = 3_000;

/** Makes a new secret, which only this answer shows. */
export function useRotateSecret() {
  const refresh = webhookEndpoints.useRefresh();
  return useMutation({
    mutationFn: ({ id, overlapSeconds }: { id: string; overlapSeconds: number }) =>
      call<CreatedWebhookEndpoint>('POST', `${one(id)}/rotate`, { body: { overlapSeconds } }),
    onSuccess: () => refresh(),
  });
}

/** What was sent to an endpoint, newest first. */
export const useDeliveries = (id: string, state: string, cursor: string) =>
  useQuery({
    queryKey: [...deliveriesKey(id), state, cursor],
    queryFn: ({ signal, client, queryKey }) => {
      const query = new URLSearchParams({ limit: '25', ...(state && { state }), ...(cursor && { cursor }) });
      return call<Page<Delivery>>('GET', `${one(id)}/deliveries?${query.toString()}`, {
        signal,
        headers: againHeaders(client, queryKey),
      });
    },
    placeholderData: keepPreviousData,
    refetchInterval: everyMs,
  });

const useDeliveryChange = <Input>(id: string, change: (input: Input) => Promise<ReplayedDeliveries | undefined>) => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => queries.invalidateQueries({ queryKey: deliveriesKey(id) }),
  });
};

/** Sends a `test.ping`. */
export const useTestEndpoint = (id: string) =>
  useDeliveryChange<void>(id, async () => {
    await call('POST', `${one(id)}/test`);
    return undefined;
  });

/** Sends one delivery again. */
export const useReplayDelivery = (id: string) =>
  useDeliveryChange<string>(id, async (deliveryId) => {
    await call('POST', `${one(id)}/deliveries/${encodeURIComponent(deliveryId)}/replay`);
    return undefined;
  });

/** Sends all deliveries of a time again, page by page. */
export const useReplayRange = (id: string) =>
  useDeliveryChange<ReplayDeliveriesBody>(id, async (body) => {
    let replayed = 0;
    let cursor: string | null = null;
    do {
      const done: ReplayedDeliveries = await call<ReplayedDeliveries>('POST', `${one(id)}/deliveries/replay`, {
        body: { ...body, ...(cursor !== null && { cursor }) },
      });
      replayed += done.replayed;
      cursor = done.nextCursor;
    } while (cursor !== null);
    return { replayed, nextCursor: null };
  });
