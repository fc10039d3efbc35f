import type { QueryClient, QueryKey } from '@tanstack/react-query';

/** Says of a call that the page makes it by itself: it does not keep the session from becoming idle. */
const background = { 'x-background': '1' } as const;

/** The headers of a query: what is asked again while it is known already, nobody at the keyboard has asked for. */
export const againHeaders = (queries: QueryClient, key: QueryKey): Readonly<Record<string, string>> =>
  queries.getQueryData(key) === undefined ? {} : background;
