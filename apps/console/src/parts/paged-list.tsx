import type { Page } from '#lib/contracts';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ListTable, type Column } from './list-table.js';
import { Loaded } from './loaded.js';
import classes from './paged-list.module.css';
import { RowsSkeleton } from './page-skeleton.js';
import { Pager } from './pager.js';

export interface PagedListProps<Item> {
  readonly query: Pick<UseQueryResult<Page<Item>>, 'data' | 'error' | 'refetch' | 'isPlaceholderData'>;
  readonly label: string;
  readonly columns: ReadonlyArray<Column<Item>>;
  /** Whether filters leave something out. */
  readonly filtered: boolean;
  /** In the place of the list when there is nothing at all. */
  readonly empty?: ReactNode;
  readonly none?: ReactNode;
}

/** A list that is read page by page. */
export function PagedList<Item extends { readonly id: string }>(props: PagedListProps<Item>) {
  const { query, label, columns, filtered, empty, none } = props;
  return (
    <Loaded query={query} skeleton={<RowsSkeleton rows={8} />}>
      {({ data, nextCursor }) =>
        data.length === 0 && !filtered && empty !== undefined ? (
          empty
        ) : (
          // What was listed before stays until the other list is there, and does not pass for it.
          <div aria-busy={query.isPlaceholderData || undefined} className={classes.list}>
            <ListTable label={label} columns={columns} items={data} keyOf={({ id }) => id} none={none} />
            <Pager nextCursor={nextCursor} />
          </div>
        )
      }
    </Loaded>
  );
}
