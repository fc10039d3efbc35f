import { z } from 'zod';

/** A JSON Schema (draft 2020-12) as data. */
export type JsonSchema = { [member: string]: unknown };

/** Which side of a schema is meant: what may be sent, or what is answered (defaults filled in). */
export type SchemaSide = 'input' | 'output';

const componentPrefix = '#/components/schemas/';

/**
 * Turns zod schemas into JSON Schemas that share named components: a schema with a `meta` id becomes one component
 * and is referred to everywhere else.
 */
export class SchemaCollection {
  readonly components: Record<string, JsonSchema> = {};

  /** Answers the schema, or a reference to it; the components that it needs are added. */
  add(schema: z.ZodType, side: SchemaSide): JsonSchema {
    // Inside an object every schema with an id becomes a reference, the outermost one included.
    const whole = z.toJSONSchema(z.object({ it: schema }), { io: side, unrepresentable: 'any' }) as JsonSchema;
    const { it } = whole.properties as { it: JsonSchema };
    for (const [name, definition] of Object.entries((whole.$defs ?? {}) as Record<string, JsonSchema>)) {
      const tidied = tidy(definition, side) as JsonSchema;
      const known = this.components[name];
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(tidied)) {
        throw new Error(`The schema ${name} differs between what is sent and what is answered: give it two ids.`);
      }
      this.components[name] = tidied;
    }
    return tidy(it, side) as JsonSchema;
  }

  /** The components, sorted by name. */
  sorted(): Record<string, JsonSchema> {
    return Object.fromEntries(Object.entries(this.components).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Leaves out what only makes a description longer, and what would forbid answers to gain members. */
function tidy(value: unknown, side: SchemaSide): unknown {
  if (Array.isArray(value)) return value.map((item) => tidy(item, side));
  if (typeof value !== 'object' || value === null) return value;
  const schema = value as JsonSchema;
  const tidied: JsonSchema = {};
  for (const [member, content] of Object.entries(schema)) {
    if (member === '$schema' || member === 'id') continue;
    if (member === 'pattern' && 'format' in schema) continue;
    if ((member === 'maximum' || member === 'minimum') && Math.abs(Number(content)) === Number.MAX_SAFE_INTEGER)
      continue;
    if (member === 'additionalProperties' && content === false && side === 'output') continue;
    if (member === '$ref') tidied[member] = String(content).replace('#/$defs/', componentPrefix);
    else if (member === 'properties') tidied[member] = tidyProperties(content as Record<string, JsonSchema>, side);
    else if (member !== 'default' && member !== 'enum' && member !== 'const') tidied[member] = tidy(content, side);
    else tidied[member] = content;
  }
  return nullable(tidied);
}

// The names of properties are names, not keywords.
const tidyProperties = (properties: Record<string, JsonSchema>, side: SchemaSide): JsonSchema =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, tidy(schema, side)]));

/** Writes "this or null" as one type where that is possible. */
function nullable(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema as { anyOf?: JsonSchema[] };
  if (anyOf?.length !== 2 || anyOf[1]!.type !== 'null' || typeof anyOf[0]!.type !== 'string') return schema;
  const [only] = anyOf as [JsonSchema, JsonSchema];
  return {
    ...only,
    type: [only.type, 'null'],
    ...(Array.isArray(only.enum) && { enum: [...(only.enum as unknown[]), null] }),
    ...rest,
  };
}
