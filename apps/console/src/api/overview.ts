import type { Overview, OverviewWindow } from '#lib/contracts';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { againHeaders } from './background.js';
import { call } from './client.js';

const everyMs = 5_000;

/** How Assent is doing, kept up to date. */
export const useOverview = (window: OverviewWindow) =>
  useQuery({
    queryKey: ['/console/api/overview', window],
    queryFn: ({ signal, client, queryKey }) =>
      call<Overview>('GET', `/console/api/overview?window=${window}`, {
        signal,
        headers: againHeaders(client, queryKey),
      }),
    placeholderData: keepPreviousData,
    refetchInterval: everyMs,
  });
