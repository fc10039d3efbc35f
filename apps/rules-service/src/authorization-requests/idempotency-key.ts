import { ProblemError } from '#lib/runtime';

/**
 * Reads the `Idempotency-Key` header; null without one.
 *
 * @throws ProblemError `invalid_idempotency_key`
 */
export function idempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  if (typeof header === 'string' && /^[\x20-\x7E]{1,255}$/.test(header)) return header;
  throw new ProblemError(
    'invalid_idempotency_key',
    'Idempotency-Key has 1 to 255 printable ASCII characters. A UUID makes a good key.',
  );
}
