import { z } from 'zod';

/** The query of every list: opaque cursor, at most 100 entries a page. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(50).meta({ description: 'Entries per page, 1 to 100.' }),
  cursor: z.string().max(512).optional().meta({ description: '`nextCursor` of the page before.' }),
});
export type PageQuery = z.infer<typeof pageQuery>;

/** One page of a list; `nextCursor` is null on the last one. */
export const page = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({ data: z.array(item), nextCursor: z.string().nullable() });
export interface Page<Item> {
  readonly data: readonly Item[];
  readonly nextCursor: string | null;
}
