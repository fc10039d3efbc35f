import { useSearchParams } from 'react-router';

/** Filters in the address, for a list that is read page by page: another filter begins at the newest page again. */
export function useListFilters<Name extends string>(
  names: readonly Name[],
): [filters: Readonly<Record<Name | 'cursor', string>>, change: (changes: Partial<Record<Name, string>>) => void] {
  const [search, setSearch] = useSearchParams();
  const all = [...names, 'cursor'] as const;
  const filters = Object.fromEntries(all.map((name) => [name, search.get(name) ?? ''])) as Record<
    Name | 'cursor',
    string
  >;
  const change = (changes: Partial<Record<Name, string>>): void =>
    setSearch(
      (current) => {
        const next = new URLSearchParams(current);
        next.delete('cursor');
        for (const [name, value] of Object.entries<string | undefined>(changes)) {
          if (value === undefined || value === '') next.delete(name);
          else next.set(name, value);
        }
        return next;
      },
      { replace: true },
    );
  return [filters, change];
}
