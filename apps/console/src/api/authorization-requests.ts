import type {
  AuthorizationRequestDocument,
  Delivery,
  Page,
  SubmitAuthorizationRequestBody,
  Timeline,
} from '#lib/contracts';
import { keepPreviousData, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { againHeaders } from './background.js';
import { ApiProblem, call } from './client.js';

const path = '/v1/authorization-requests';
const listEveryMs = 3_000;
const liveEveryMs = 2_000;

const one = (id: string) => `${path}/${encodeURIComponent(id)}`;

/** Which requests are listed; what is empty does not count. */
export interface RequestFilters {
  readonly status: string;
  readonly rule: string;
  readonly createdAfter: string;
  readonly createdBefore: string;
  readonly cursor: string;
}

const queryOf = (filters: RequestFilters): string =>
  new URLSearchParams([['limit', '50'], ...Object.entries(filters).filter(([, value]) => value !== '')]).toString();

/** A page of requests, newest first; the newest page follows what happens. */
export const useRequests = (filters: RequestFilters, live: boolean) =>
  useQuery({
    queryKey: [path, filters],
    queryFn: ({ signal, client, queryKey }) =>
      call<Page<AuthorizationRequestDocument>>('GET', `${path}?${queryOf(filters)}`, {
        signal,
        headers: againHeaders(client, queryKey),
      }),
    placeholderData: keepPreviousData,
    refetchInterval: live ? listEveryMs : false,
  });

const single = (id: string) =>
  queryOptions({
    queryKey: [path, id],
    queryFn: ({ signal, client, queryKey }) =>
      call<AuthorizationRequestDocument>('GET', one(id), { signal, headers: againHeaders(client, queryKey) }),
  });

/** No rule lets an approval be used later than a day after the decision. */
const longestUseMs = 86_400_000;

/** Whether nothing more comes of a request: it was decided, and an approval was used, or is too old for that. */
function isOver({ decision, consumedAt }: AuthorizationRequestDocument): boolean {
  if (decision === null) return false;
  if (decision.outcome !== 'approved' || consumedAt !== null) return true;
  return Date.now() - Date.parse(decision.decidedAt) > longestUseMs;
}

/** One request, kept up to date until nothing more comes of it, by this alone where no events arrive. */
export const useRequest = (id: string) =>
  useQuery({
    ...single(id),
    refetchInterval: ({ state }) => (state.data !== undefined && isOver(state.data) ? false : liveEveryMs),
  });

/** Has the service tell each change of a request until the decision is there; every part of the page is told. */
export function useRequestEvents(id: string, open: boolean): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (!open) return;
    const events = new EventSource(`${one(id)}/events`);
    const take = ({ data }: MessageEvent<string>): void => {
      queries.setQueryData(single(id).queryKey, JSON.parse(data) as AuthorizationRequestDocument);
      void queries.invalidateQueries({ queryKey: [path, id, 'timeline'] });
    };
    for (const status of ['requested', 'pending', 'approved', 'denied', 'expired', 'cancelled', 'failed']) {
      events.addEventListener(status, take);
    }
    return () => events.close();
  }, [id, open, queries]);
}

/** What has happened to a request so far; polls and pings come without a change of its state. */
export function useTimeline(id: string) {
  const { data, dataUpdatedAt } = useRequest(id);
  const over = data !== undefined && isOver(data);
  return useQuery({
    queryKey: [path, id, 'timeline'],
    queryFn: ({ signal, client, queryKey }) =>
      call<Timeline>('GET', `${one(id)}/timeline`, { signal, headers: againHeaders(client, queryKey) }),
    // Once more after the request was seen to be over: then the end of it is there.
    refetchInterval: ({ state }) => (over && state.dataUpdatedAt > dataUpdatedAt ? false : liveEveryMs),
  });
}

/** To whom the decision went. */
export const useDeliveriesOf = (id: string, decided: boolean) =>
  useQuery({
    queryKey: [path, id, 'deliveries'],
    enabled: decided,
    queryFn: ({ signal, client, queryKey }) =>
      call<{ data: Delivery[] }>('GET', `/console/api/authorization-requests/${encodeURIComponent(id)}/deliveries`, {
        signal,
        headers: againHeaders(client, queryKey),
      }),
    refetchInterval: ({ state }) =>
      state.data?.data.some((delivery) => delivery.state === 'pending') === true ? liveEveryMs : false,
  });

/** Withdraws a request. */
export function useCancelRequest() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => call<AuthorizationRequestDocument>('POST', `${one(id)}/cancel`),
    onSettled: () => queries.invalidateQueries({ queryKey: [path] }),
  });
}

/**
 * Asks somebody, really. Who sends the same again because no answer came, or none that tells what became of it, has nobody
 * asked twice: the key stays until there is one.
 */
export function useSubmitRequest() {
  const unanswered = useRef<{ readonly text: string; readonly key: string } | null>(null);
  return useMutation({
    mutationFn: (body: SubmitAuthorizationRequestBody) => {
      const text = JSON.stringify(body);
      if (unanswered.current?.text !== text) unanswered.current = { text, key: crypto.randomUUID() };
      return call<AuthorizationRequestDocument>('POST', path, {
        body,
        headers: { 'idempotency-key': unanswered.current.key },
      });
    },
    onSettled: (_, error) => {
      const isRefused = error instanceof ApiProblem && error.status >= 400 && error.status < 500;
      if (error === null || isRefused) unanswered.current = null;
    },
  });
}
