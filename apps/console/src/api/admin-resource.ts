import type { Page } from '#lib/contracts';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call } from './client.js';

/** What every administered object has. */
interface Stored {
  readonly id: string;
  readonly version: number;
}

/** More than this is not read for one list; whoever has so many works with the API. */
const mostPages = 20;

/** Reads a whole list, page after page. */
async function readAll<Item>(path: string, signal: AbortSignal): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < mostPages; page++) {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const read: Page<Item> = await call<Page<Item>>('GET', `${path}?limit=100${query}`, { signal });
    items.push(...read.data);
    cursor = read.nextCursor;
    if (cursor === null) break;
  }
  return items;
}

/** A change, made to the version that was looked at. */
export interface Replacement<Body> extends Stored {
  readonly body: Body;
}

/** The hooks for one kind of administered object. `Created` is what only its creation shows. */
export function adminResource<Item extends Stored, Body, Patch = Partial<Body>, Created extends Item = Item>(
  path: string,
) {
  const one = (id: string) => `${path}/${encodeURIComponent(id)}`;
  const list = queryOptions({ queryKey: [path], queryFn: ({ signal }) => readAll<Item>(path, signal) });
  const single = (id: string) =>
    queryOptions({ queryKey: [path, id], queryFn: ({ signal }) => call<Item>('GET', one(id), { signal }) });

  const useRefresh = () => {
    const queries = useQueryClient();
    return (item?: Item) => {
      if (item) queries.setQueryData([path, item.id], item);
      // Others show what this one is called and who uses it.
      return queries.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith('/v1/') });
    };
  };

  return {
    path,
    list,
    single,
    useList: () => useQuery(list),
    useOne: (id: string) => useQuery(single(id)),
    useCreate: () => {
      const refresh = useRefresh();
      return useMutation({
        mutationFn: (body: Body) => call<Created>('POST', path, { body }),
        onSuccess: () => refresh(),
      });
    },
    useReplace: () => {
      const refresh = useRefresh();
      return useMutation({
        mutationFn: ({ id, version, body }: Replacement<Body>) => call<Item>('PUT', one(id), { body, version }),
        onSuccess: (item) => refresh(item),
      });
    },
    useChange: () => {
      const refresh = useRefresh();
      return useMutation({
        mutationFn: ({ id, version, body }: Replacement<Patch>) => call<Item>('PATCH', one(id), { body, version }),
        onSuccess: (item) => refresh(item),
      });
    },
    useRemove: () => {
      const queries = useQueryClient();
      const refresh = useRefresh();
      return useMutation({
        mutationFn: ({ id, version }: Stored) => call<void>('DELETE', one(id), { version }),
        onSuccess: (_, { id }) => {
          // Neither asked for again by a page that is about to go, nor shown from memory to whoever comes back there.
          queries.removeQueries({ queryKey: [path, id] });
          void refresh();
        },
      });
    },
    useRefresh,
  };
}
