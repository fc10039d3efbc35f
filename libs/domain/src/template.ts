/** Logic-less templates: `{{attribute}}` stands for the attribute of the request, and nothing else has a meaning. */

import type { Attributes } from './attributes.js';

const placeholder = /\{\{\s*([\w.-]{1,64})\s*\}\}/g;

/** Replaces each `{{attribute}}` by its value; an attribute that is missing leaves nothing. What is put in is not read again. */
export function fillTemplate(template: string, attributes: Attributes): string {
  return template.replace(placeholder, (_, name: string) =>
    Object.hasOwn(attributes, name) ? String(attributes[name]) : '',
  );
}

/** Replaces each `{{attribute}}` in every string of a JSON value; the value's shape and its members' names stay. */
export function fillJson(value: unknown, attributes: Attributes): unknown {
  if (typeof value === 'string') return fillTemplate(value, attributes);
  if (Array.isArray(value)) return value.map((item) => fillJson(item, attributes));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fillJson(member, attributes)]));
}

/**
 * Fills a template that may be the text of a JSON object: then its strings are filled, so that no value can change its
 * shape.
 */
export function fillTextOrJson(template: string, attributes: Attributes): string | object {
  const document = readObject(template);
  return document === null ? fillTemplate(template, attributes) : (fillJson(document, attributes) as object);
}

function readObject(text: string): object | null {
  if (!text.trimStart().startsWith('{') || text.trimStart().startsWith('{{')) return null;
  try {
    return JSON.parse(text) as object;
  } catch {
    return null;
  }
}

/** The attributes that the strings of a JSON value name, each once. */
export function namedAttributes(value: unknown): string[] {
  const names = new Set<string>();
  const visit = (part: unknown): void => {
    if (typeof part === 'string') for (const [, name] of part.matchAll(placeholder)) names.add(name!);
    else if (typeof part === 'object' && part !== null) Object.values(part).forEach(visit);
  };
  visit(value);
  return [...names];
}
