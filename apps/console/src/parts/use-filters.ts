import { useSearchParams } from 'react-router';

/**
 * Filters that live in the address, so that a filtered list is a link; empty ones are left out. A list that is read page
 * by page finds its page in `cursor`: with another filter it begins at the newest one again.
 */
export function useFilters<Name extends string>(
  names: readonly Name[],
): [filters: Readonly<Record<Name | 'cursor', string>>, change: (changes: Partial<Record<Name, string>>) => void] {
  const [search, setSearch] = useSearchParams();
  const filters = Object.fromEntries([...names, 'cursor'].map((name) => [name, search.get(name) ?? ''])) as Record<
    Name | 'cursor',
    string
  >;
  const change = (changes: Partial<Record<Name, string>>): void => {
    // The address itself, which the router writes before anything is drawn. What was drawn last, which `setSearch` would
    // give to a function, knows nothing of a change just before this one, and would undo it.
    const next = new URLSearchParams(window.location.search);
    next.delete('cursor');
    for (const [name, value] of Object.entries<string | undefined>(changes)) {
      if (value === undefined || value === '') next.delete(name);
      else next.set(name, value);
    }
    setSearch(next, { replace: true });
  };
  return [filters, change];
}
