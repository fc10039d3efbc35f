import { ProblemError } from '#lib/runtime';

/** The versions that a call accepts; null when it accepts any. */
export type ExpectedVersions = ReadonlySet<number> | null;

/** The entity tag of a version. */
export const etagOf = (version: number): string => `"${version}"`;

// RFC 9110 §8.8.3: a tag is any visible character but the quote, which ends it. Foreign tags must parse too: they are a
// mismatch (412), not a mistake (400).
const entityTags = /^\s*(?:W\/)?"[\x21\x23-\x7E]*"\s*(?:,\s*(?:W\/)?"[\x21\x23-\x7E]*"\s*)*$/;

/**
 * Reads `If-Match` (RFC 9110 §13.1.1). Weak tags and tags of other making match no version.
 *
 * @throws ProblemError `invalid_if_match`
 */
export function expectedVersions(header: string | undefined): ExpectedVersions {
  if (header === undefined || header.trim() === '*') return null;
  if (!entityTags.test(header)) {
    throw new ProblemError(
      'invalid_if_match',
      'If-Match is not an entity tag. Send the ETag of the last answer with its quotes, for example "3".',
    );
  }
  const versions = [...header.matchAll(/(W\/)?"([^"]*)"/g)]
    .filter(([, weak, tag]) => weak === undefined && /^[1-9]\d{0,8}$/.test(tag!))
    .map(([, , tag]) => Number(tag));
  return new Set(versions);
}
