import { ValidationPipe } from '#lib/runtime';
import type { z } from 'zod';

const pipe = new ValidationPipe();

/**
 * Validates a value that was put together from a body, with the same answers as for a body itself.
 *
 * @throws ProblemError `invalid_body`
 */
export const parseBody = async <Schema extends z.ZodType>(schema: Schema, value: unknown): Promise<z.output<Schema>> =>
  (await pipe.transform(value, { type: 'body', schema })) as z.output<Schema>;
