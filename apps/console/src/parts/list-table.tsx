import { Paper } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './list-table.module.css';

export interface Column<Item> {
  readonly title: string;
  readonly cell: (item: Item) => ReactNode;
  /** Buttons stand at the end. */
  readonly align?: 'end';
  /** Long words need their room. */
  readonly wide?: true;
  /** Left out where the columns have little room; a card of a narrow screen has it. */
  readonly spare?: true;
}

export interface ListTableProps<Item> {
  /** What is listed, for those who cannot see the page around it. */
  readonly label: string;
  readonly columns: ReadonlyArray<Column<Item>>;
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  /** In the place of rows, when a filter leaves none. */
  readonly none?: ReactNode;
}

/** A list. On a narrow screen each row becomes a card that names its values; the roles keep it a table for everybody. */
export function ListTable<Item>({ label, columns, items, keyOf, none = 'Nothing matches.' }: ListTableProps<Item>) {
  return (
    <Paper className={classes.frame}>
      <table className={classes.table} aria-label={label} role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ title, align, spare }) => (
              <th key={title} scope="col" role="columnheader" data-align={align} data-spare={spare}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {items.map((item) => (
            <tr key={keyOf(item)} role="row">
              {columns.map(({ title, cell, align, wide, spare }) => (
                <td key={title} role="cell" data-title={title} data-align={align} data-wide={wide} data-spare={spare}>
                  {cell(item)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {items.length === 0 && <div className={classes.none}>{none}</div>}
    </Paper>
  );
}
