/** A value without a canonical form: not JSON, or text that is not well-formed Unicode. */
export class NotCanonical extends Error {
  override readonly name = 'NotCanonical';
}

const loneSurrogate = /[\uD800-\uDFFF]/u;

/**
 * The one text that stands for a JSON value (RFC 8785): equal values give equal texts, whatever their order and
 * spelling were.
 *
 * @throws NotCanonical for numbers that are not finite, lone surrogates (§3.2.2.2), and whatever is not JSON
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value);
    case 'number':
      // §3.2.2.3: numbers are written as ECMAScript writes them.
      if (!Number.isFinite(value)) throw new NotCanonical(`${value} is not a JSON number.`);
      return JSON.stringify(value);
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? `[${value.map(canonicalJson).join(',')}]` : canonicalObject(value);
    case 'bigint':
    case 'function':
    case 'symbol':
    case 'undefined':
      throw new NotCanonical(`A value of type ${typeof value} is not JSON.`);
  }
}

// §3.2.3: members in the order of their names' UTF-16 code units, which is how strings are compared here.
function canonicalObject(value: object): string {
  const members = Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${canonicalString(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

function canonicalString(text: string): string {
  if (loneSurrogate.test(text)) throw new NotCanonical('A text with a lone surrogate has no UTF-8 form.');
  return JSON.stringify(text);
}
