import { Button, Group } from '@mantine/core';
import { Link, useLocation, useSearchParams } from 'react-router';

export interface PagerProps {
  readonly nextCursor: string | null;
}

/** The ways through a list that is read page by page: links, so that a page can be kept and shared. */
export function Pager({ nextCursor }: PagerProps) {
  const { pathname } = useLocation();
  const [search] = useSearchParams();
  const at = (cursor: string | null): string => {
    const next = new URLSearchParams(search);
    if (cursor === null) next.delete('cursor');
    else next.set('cursor', cursor);
    return `${pathname}?${next.toString()}`;
  };
  if (!search.has('cursor') && nextCursor === null) return null;
  return (
    <Group component="nav" aria-label="Pages of the list" justify="space-between" mt="md">
      {search.has('cursor') ? (
        <Button component={Link} to={at(null)} variant="default">
          Newest
        </Button>
      ) : (
        <span />
      )}
      {nextCursor !== null && (
        <Button component={Link} to={at(nextCursor)} variant="default">
          Older
        </Button>
      )}
    </Group>
  );
}
