import type { Page } from '#lib/contracts';
import { InvalidCursor } from './errors.js';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for what Postgres takes as a uuid without complaint; anything else names no row. */
export const isUuid = (text: string): boolean => uuid.test(text);

/** The id after which a page goes on; null for the first page. Throws `InvalidCursor`. */
export function cursorId(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  if (!isUuid(id)) throw new InvalidCursor('The cursor is not one that a list has given out.');
  return id;
}

const latestMs = 2 ** 48 - 1;

/** The least id that a UUIDv7 of this time can be (RFC 9562 §5.7), in ms since 1970; times before that are 1970. */
export function firstIdAt(ms: number): string {
  const hex = Math.min(Math.max(Math.floor(ms), 0), latestMs)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** Cuts a page out of one row more than was asked for: the extra row says whether there is a next page. */
export function pageOf<Row extends { readonly id: string }>(rows: readonly Row[], limit: number): Page<Row> {
  const data = rows.slice(0, limit);
  const last = rows.length > limit ? data.at(-1) : undefined;
  return { data, nextCursor: last === undefined ? null : cursorOf(last.id) };
}

/** The cursor that says: go on after this id. */
export const cursorOf = (id: string): string => Buffer.from(id, 'latin1').toString('base64url');
