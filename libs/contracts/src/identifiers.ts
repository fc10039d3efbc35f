import { z } from 'zod';

/** An id made by Assent: a UUID (version 7, so that ids sort by age). */
export const id = z.uuid().meta({ description: 'An id made by Assent (UUID).' });

/** The client behind the bootstrap key `ASSENT_API_KEY`: it is in no table, and owns the requests that it makes. */
export const bootstrapClientId = '00000000-0000-7000-8000-000000000000';

/** The client that owns the requests which people make in the console; it is in no table either. */
export const consoleClientId = '00000000-0000-7000-8000-000000000001';

/** How a timeline names a person who acted in the console: this, and the name. API clients are named by their ids. */
export const userPrefix = 'user:';

/** An instant in RFC 3339, UTC, with milliseconds. The database's calendar has no year 0. */
export const instant = z.iso
  .datetime({ offset: true })
  .refine((text) => new Date(text).getUTCFullYear() >= 1, 'Give an instant of the year 1 or later.')
  .meta({ description: 'An instant (RFC 3339).' });

/** A short human name: 1 to 64 characters, spaces and special characters allowed, no control characters. */
export const name = z
  .string()
  .trim()
  .min(1, 'Give a name of 1 to 64 characters.')
  .max(64, 'Give a name of 1 to 64 characters.')
  .regex(/^\P{Cc}*$/u, 'A name has no control characters.');

/** An absolute http(s) address without user information or fragment; the outbound guard judges it further. */
export const httpUrl = z
  .string()
  .max(2048)
  .refine((value) => {
    if (!URL.canParse(value)) return false;
    const url = new URL(value);
    return ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === '' && url.hash === '';
  }, 'Give an absolute https address without user name, password or fragment.');

/** A JSON object of strings: the caller's own notes, returned as they came. */
export const metadata = z
  .record(z.string().min(1).max(64), z.string().max(1024))
  .refine((value) => Object.keys(value).length <= 32, 'At most 32 members.')
  .meta({ description: "The caller's own notes; returned unchanged." });
