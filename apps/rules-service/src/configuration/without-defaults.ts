import { changesBetween } from '#lib/domain';
import { z } from 'zod';

/** The value without what it would have without a word, so that what is left says something. */
export function withoutDefaults(schema: z.ZodObject, value: object): Record<string, unknown> {
  const members = Object.entries(value).filter(([member, content]) => !isDefault(schema.shape[member], content));
  return Object.fromEntries(members);
}

function isDefault(schema: unknown, content: unknown): boolean {
  if (content === undefined) return true;
  if (schema instanceof z.ZodDefault) return changesBetween(schema.def.defaultValue, content).length === 0;
  return false;
}
