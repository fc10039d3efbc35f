import { anchor, html, prose, type Html } from './html.js';

/** What the pages read of a JSON Schema. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

const nameOf = (reference: string): string => reference.slice(reference.lastIndexOf('/') + 1);

/** The address of a named schema in its page. */
export const schemaAnchor = (name: string): string => `schema-${anchor(name)}`;

/** A schema's type in one line, with links to named schemas. */
export function typeView(schema: Schema): Html {
  if (schema.$ref !== undefined) {
    const name = nameOf(schema.$ref);
    return html`<a href="#${schemaAnchor(name)}">${name}</a>`;
  }
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) return join(choices.map(typeView), ' or ');
  if (schema.allOf !== undefined) return typeView(schema.allOf[0] ?? {});
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.enum !== undefined) {
    return join(
      schema.enum.map((value) => html`<code>${JSON.stringify(value)}</code>`),
      ' ',
    );
  }
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? ['any']);
  return join(
    types.map((type) => {
      if (type === 'array') return html`list of ${schema.items ? typeView(schema.items) : 'anything'}`;
      if (type === 'object' && typeof schema.additionalProperties === 'object') {
        return html`map of ${typeView(schema.additionalProperties)}`;
      }
      return html`${type === 'string' && schema.format ? schema.format : type}`;
    }),
    ' or ',
  );
}

/** The members of an object, each with its meaning; objects without a name are shown in place. */
export function membersView(schema: Schema): Html {
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants !== undefined && schema.properties === undefined) {
    return html`${variants.map(
      (variant, index) =>
        html`<p class="variant">Variant ${index + 1}</p>
          ${membersView(variant)}`,
    )}`;
  }
  const members = Object.entries(schema.properties ?? {});
  if (members.length === 0) return html`<p>${typeView(schema)}</p>`;
  return html`<dl class="members">
    ${members.map(([name, member]) => {
      const nested = member.items?.properties !== undefined ? member.items : member;
      return html` <div>
        <dt>
          <code>${name}</code> <span class="type">${typeView(member)}</span>${
            schema.required?.includes(name) ? null : html` <span class="optional">optional</span>`
          }
        </dt>
        <dd>
          ${member.description !== undefined && prose(member.description)}
          ${limits(member)}${nested.properties !== undefined && membersView(nested)}
        </dd>
      </div>`;
    })}
  </dl>`;
}

function limits(schema: Schema): Html | null {
  const facts = [
    schema.default !== undefined && html`default <code>${JSON.stringify(schema.default)}</code>`,
    range('characters', schema.minLength, schema.maxLength),
    range('', schema.minimum, schema.maximum),
    range('entries', schema.minItems, schema.maxItems),
  ].filter((fact) => fact instanceof Object);
  return facts.length === 0 ? null : html`<span class="limits">${join(facts, ' · ')}</span>`;
}

function range(unit: string, least: number | undefined, most: number | undefined): Html | null {
  if (least === undefined && most === undefined) return null;
  if (most === undefined) return html`at least ${least} ${unit}`;
  return html`${least === undefined ? 'at most ' : `${least} to `}${most} ${unit}`;
}

const join = (parts: readonly Html[], separator: string): Html =>
  html`${parts.map((part, index) => html`${index > 0 && separator}${part}`)}`;
