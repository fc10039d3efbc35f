/** True when Postgres can hold the text: it has no NUL, and no half of a surrogate pair. Nothing is named otherwise. */
export const isStorable = (text: string): boolean => !unstorable.test(text);

/** The text without what Postgres cannot hold, for texts that others have written and that only tell something. */
export const storable = (text: string): string => text.replace(new RegExp(unstorable, 'gu'), '');

const unstorable = /[\u0000\p{Cs}]/u;
