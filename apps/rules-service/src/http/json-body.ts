import { ProblemError } from '#lib/runtime';

/** How deep a body may nest. */
const maxDepth = 20;

/** Names that reach an object's prototype when code is careless (CWE-1321). */
const refusedNames = new Set(['__proto__', 'constructor', 'prototype']);

// Postgres stores no NUL; a lone surrogate is no character (RFC 8785 §3.2.2.2).

const refusedText = /[\u0000\uD800-\uDFFF]/u;

/**
 * Parses a body; undefined when there is none.
 *
 * @throws ProblemError `malformed_body` for what is not JSON; `invalid_body` for what is JSON that nobody means well by
 */
export function parseJsonBody(text: string): unknown {
  if (text === '') return undefined;
  const value = parsed(text);
  refuseHostile(value);
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // The parser's message quotes the body, which may hold a secret: only the place is passed on.
    throw new ProblemError('malformed_body', `The body is not valid JSON.${placeIn((error as Error).message)}`);
  }
}

function placeIn(complaint: string): string {
  if (/^(Unexpected end|Unterminated string)/.test(complaint)) return ' It ends too early.';
  const position = /position (\d+)/.exec(complaint)?.[1];
  return position === undefined ? '' : ` Reading stopped at character ${position}.`;
}

// Without recursion: the depth is what is being judged.
function refuseHostile(body: unknown): void {
  const open: Array<{ readonly value: unknown; readonly pointer: string; readonly depth: number }> = [
    { value: body, pointer: '', depth: 0 },
  ];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, pointer, depth } = next;
    if (typeof value === 'string' && refusedText.test(value)) {
      throw refused(pointer, 'invalid_text', 'A text has no NUL and no lone surrogate.');
    }
    if (typeof value !== 'object' || value === null) continue;
    if (depth === maxDepth) throw refused(pointer, 'too_deep', `A body nests at most ${maxDepth} levels deep.`);
    for (const [name, member] of Object.entries(value)) {
      const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (refusedNames.has(name)) throw refused(at, 'refused_name', `"${name}" is not accepted as a name.`);
      if (refusedText.test(name)) throw refused(pointer, 'invalid_text', 'A name has no NUL and no lone surrogate.');
      open.push({ value: member, pointer: at, depth: depth + 1 });
    }
  }
}

const refused = (pointer: string, code: string, detail: string): ProblemError =>
  new ProblemError('invalid_body', pointer === '' ? detail : `${detail} See ${pointer.slice(0, 200)}.`, {
    errors: [{ pointer: pointer.slice(0, 500), code, detail }],
  });
