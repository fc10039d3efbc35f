import { z } from 'zod';
import { configuration } from './configuration.js';
import type { JsonSchema } from './json-schema.js';

/**
 * A file of configuration as a JSON Schema (draft 2020-12), for editors that complete and check while somebody writes.
 * Where a text has a form, a reference may stand for it.
 */
export function configurationJsonSchema(): JsonSchema {
  const { $schema, $defs, ...schema } = z.toJSONSchema(configuration, {
    io: 'input',
    unrepresentable: 'any',
  }) as JsonSchema;
  return {
    $schema,
    title: 'A configuration of Assent',
    ...(withReferences(schema) as JsonSchema),
    $defs: {
      ...(withReferences($defs) as JsonSchema),
      Reference: {
        type: 'string',
        pattern: '\\$\\{(env|file|base64):[^{}]*\\}',
        description: '`${env:NAME}`, `${file:path}`, or `${base64:path}` for a file in base64.',
      },
    },
  };
}

const forms = ['pattern', 'format', 'contentEncoding', 'minLength', 'maxLength'];

function withReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withReferences);
  if (typeof value !== 'object' || value === null) return value;
  const schema = value as JsonSchema;
  if (schema.type === 'string' && forms.some((form) => form in schema)) {
    const { description, default: fallback, ...text } = schema;
    return {
      ...(description !== undefined && { description }),
      ...(fallback !== undefined && { default: fallback }),
      anyOf: [text, { $ref: '#/$defs/Reference' }],
    };
  }
  const members = Object.entries(schema).filter(([member]) => member !== 'id');
  return Object.fromEntries(
    members.map(([member, content]) => [member, isContent(member) ? content : withReferences(content)]),
  );
}

// Values, and names of members, which nothing stands for.
const isContent = (member: string): boolean =>
  ['default', 'enum', 'const', 'propertyNames', 'required'].includes(member);
