import type { Icon } from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { EmptyState } from './empty-state.js';
import { ListTable, type Column } from './list-table.js';
import { Loaded } from './loaded.js';
import { PageHeader } from './page-header.js';
import { RowsSkeleton } from './page-skeleton.js';

export interface ListPageProps<Item> {
  readonly title: string;
  /** The group of the navigation. */
  readonly group: string;
  readonly lead: ReactNode;
  /** How to add one; in the head of the page, or where the first one would stand. */
  readonly add: ReactNode;
  readonly query: Pick<UseQueryResult<readonly Item[]>, 'data' | 'error' | 'refetch'>;
  /** Whom the list is for who cannot see the page around it. */
  readonly label: string;
  readonly columns: ReadonlyArray<Column<Item>>;
  /** In the place of the first one. Left out: there is always one. */
  readonly none?: { readonly icon: Icon; readonly title: string; readonly text: ReactNode };
  /** Above the list. */
  readonly filters?: ReactNode;
  readonly passes?: (item: Item) => boolean;
  /** Dialogs. */
  readonly children?: ReactNode;
}

/** A page with everything of one kind. */
export function ListPage<Item extends { readonly id: string }>(props: ListPageProps<Item>) {
  const { title, group, lead, add, query, label, columns, none, filters, passes = () => true, children } = props;
  return (
    <>
      <PageHeader title={title} path={[{ label: group }]} lead={lead} actions={(query.data?.length ?? 0) > 0 && add} />
      <Loaded query={query} skeleton={<RowsSkeleton />}>
        {(items) =>
          items.length === 0 && none !== undefined ? (
            <EmptyState icon={none.icon} title={none.title} action={add}>
              {none.text}
            </EmptyState>
          ) : (
            <>
              {filters}
              <ListTable label={label} columns={columns} items={items.filter(passes)} keyOf={({ id }) => id} />
            </>
          )
        }
      </Loaded>
      {children}
    </>
  );
}
