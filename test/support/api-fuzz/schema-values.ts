import { mutateMembers, type Chance } from '../answer-mutations.js';
import { hostileTexts, hostileValues } from './hostile-values.js';

/** Values made from JSON Schemas by seeded chance: what fits, what nearly fits, and what means harm. */

export type Schema = Readonly<Record<string, unknown>>;
type Components = Readonly<Record<string, Schema>>;

/** Makes values for the schemas of one document. */
export class SchemaValues {
  constructor(
    private readonly components: Components,
    private readonly chance: Chance,
  ) {}

  /** A value that fits the schema, as far as the schema says what fits. */
  fitting(schema: Schema, depth = 0): unknown {
    const { chance } = this;
    if (typeof schema['$ref'] === 'string') return this.fitting(this.resolve(schema['$ref']), depth);
    if ('const' in schema) return schema['const'];
    if (Array.isArray(schema['enum'])) return chance.pick(schema['enum'] as unknown[]);
    if ('default' in schema && chance.next() < 0.3) return schema['default'];
    for (const union of ['anyOf', 'oneOf']) {
      if (Array.isArray(schema[union])) return this.fitting(chance.pick(schema[union] as Schema[]), depth);
    }
    if (Array.isArray(schema['allOf'])) {
      return Object.assign({}, ...(schema['allOf'] as Schema[]).map((part) => this.fitting(part, depth))) as unknown;
    }
    const types = [schema['type'] ?? (schema['properties'] ? 'object' : 'string')].flat() as string[];
    switch (chance.pick(types)) {
      case 'null':
        return null;
      case 'boolean':
        return chance.next() < 0.5;
      case 'integer':
        return this.number(schema, true);
      case 'number':
        return this.number(schema, false);
      case 'array':
        return this.array(schema, depth);
      case 'object':
        return this.object(schema, depth);
      default:
        return this.text(schema);
    }
  }

  /** A value that fits but for one or two changes. */
  nearlyFitting(schema: Schema): unknown {
    const value = this.fitting(schema);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.chance.pick(hostileValues);
    return mutateMembers(value as Record<string, unknown>, this.chance);
  }

  /** A value that fits in most places, and means harm in one. */
  hostile(schema: Schema): unknown {
    const value = this.fitting(schema);
    if (typeof value !== 'object' || value === null) return this.chance.pick(hostileValues);
    return this.planted(value);
  }

  private planted(value: object): object {
    const copy = structuredClone(value) as Record<string, unknown>;
    const names = Object.keys(copy);
    if (names.length === 0 || this.chance.next() < 0.1) {
      const harm = this.chance.pick(hostileTexts);
      Object.defineProperty(copy, harm, { value: harm, enumerable: true, configurable: true, writable: true });
      return copy;
    }
    const name = this.chance.pick(names);
    const inner = copy[name];
    const deeper = typeof inner === 'object' && inner !== null && this.chance.next() < 0.7;
    copy[name] = deeper ? this.planted(inner) : this.chance.pick(hostileValues);
    return copy;
  }

  private resolve(reference: string): Schema {
    return this.components[reference.split('/').at(-1)!] ?? {};
  }

  private number(schema: Schema, whole: boolean): number {
    const low = Number(schema['minimum'] ?? schema['exclusiveMinimum'] ?? 0);
    const high = Number(schema['maximum'] ?? schema['exclusiveMaximum'] ?? low + 1000);
    const value = this.chance.pick([low, high, low + this.chance.next() * (high - low)]);
    return whole ? Math.round(value) : value;
  }

  private array(schema: Schema, depth: number): unknown[] {
    const least = Number(schema['minItems'] ?? 0);
    const most = Math.min(Number(schema['maxItems'] ?? 3), least + 3, depth > 4 ? least : 9);
    const length = least + this.chance.below(Math.max(0, most - least) + 1);
    const items = (schema['items'] ?? {}) as Schema;
    return Array.from({ length }, () => this.fitting(items, depth + 1));
  }

  private object(schema: Schema, depth: number): Record<string, unknown> {
    const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
    const required = (schema['required'] ?? []) as string[];
    const made: Record<string, unknown> = {};
    for (const [name, property] of Object.entries(properties)) {
      if (required.includes(name) || (depth < 4 && this.chance.next() < 0.4)) {
        made[name] = this.fitting(property, depth + 1);
      }
    }
    const more = schema['additionalProperties'];
    if (typeof more === 'object' && more !== null) {
      for (let count = this.chance.below(3); count > 0; count--) {
        made[this.chance.pick(['email', 'amount', 'order', 'käse', 'a b'])] = this.fitting(more as Schema, depth + 1);
      }
    }
    return made;
  }

  private text(schema: Schema): string {
    const { chance } = this;
    switch (schema['format']) {
      case 'uuid':
        return `01948b9e-6a4f-7c11-9d0f-${chance.below(0xffff_ffff).toString(16).padStart(12, '0')}`;
      case 'date-time':
        return new Date(chance.below(4_000_000_000) * 1000).toISOString();
      case 'uri':
        return 'https://shop.example/path';
    }
    const least = Number(schema['minLength'] ?? 0);
    const most = Number(schema['maxLength'] ?? 40);
    const word = chance.pick(['alice@example.com', 'Corner Shop', 'openid', 'https://shop.example/in', 'straße', 'x']);
    const wanted = chance.pick([least, Math.min(most, 60), word.length]);
    return word.padEnd(Math.max(least, Math.min(wanted, most)), 'n').slice(0, Math.max(least, Math.min(most, 5_000)));
  }
}
