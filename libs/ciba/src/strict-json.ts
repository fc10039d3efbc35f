/** A JSON object whose members are read by name only, so that nothing inherited can be mistaken for one. */
export type JsonObject = ReadonlyMap<string, unknown>;

/** Nesting beyond this is refused; no provider answer comes near it. */
export const maximumJsonDepth = 20;

/**
 * Reads text as one JSON object, or answers null when it is anything else.
 *
 * Stricter than JSON.parse where parsers disagree with each other: a repeated member, a member named `__proto__`, and
 * nesting deeper than {@link maximumJsonDepth} make the whole text unreadable.
 */
export function parseJsonObject(text: string): JsonObject | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || !isUnambiguous(text)) return null;
  return new Map(Object.entries(value));
}

/** Whether the value is a JSON object, and neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Walks over text that is known to be JSON, and looks at nothing but nesting and member names. */
function isUnambiguous(text: string): boolean {
  const open: (Set<string> | null)[] = [];
  for (let position = 0; position < text.length; position += 1) {
    switch (text.charAt(position)) {
      case '{':
        open.push(new Set());
        break;
      case '[':
        open.push(null);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case '"': {
        const end = closingQuote(text, position);
        if (isMemberName(text, end)) {
          const name = JSON.parse(text.slice(position, end + 1)) as string;
          const names = open.at(-1);
          if (name === '__proto__' || names?.has(name)) return false;
          names?.add(name);
        }
        position = end;
        break;
      }
      default:
        break;
    }
    if (open.length > maximumJsonDepth) return false;
  }
  return true;
}

function closingQuote(text: string, opening: number): number {
  let position = opening + 1;
  while (text[position] !== '"') position += text[position] === '\\' ? 2 : 1;
  return position;
}

/** In valid JSON a colon follows names and nothing else. */
function isMemberName(text: string, closing: number): boolean {
  let position = closing + 1;
  while (' \t\r\n'.includes(text.charAt(position)) && position < text.length) position += 1;
  return text.charAt(position) === ':';
}
