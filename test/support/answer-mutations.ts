/** Seeded ways to damage an answer: bytes, JSON, JWTs and HTTP. The same seed damages it in the same way. */

/** A source of chance that can be replayed. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds must not begin alike.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  }

  /** 0 ≤ x < 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

type JsonMembers = Record<string, unknown>;

const oddValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  -0.5,
  1e15,
  5e-324,
  '',
  ' ',
  '0',
  '60',
  'none',
  'Bearer',
  'openid',
  '\u0000',
  'a\u200bb',
  '\u202e',
  '\ud800',
  'é',
  '../../etc/passwd',
  'https://evil.example',
  [],
  {},
  [null],
  { error: 'access_denied' },
  { $ref: '#' },
];
const oddNames: readonly string[] = [
  'error',
  'error_description',
  'auth_req_id',
  'expires_in',
  'interval',
  'id_token',
  'access_token',
  'token_type',
  'refresh_token',
  'scope',
  'authorization_details',
  'keys',
  'iss',
  'aud',
  'sub',
  'azp',
  'nbf',
  'acr',
  'at_hash',
  'crit',
  'jku',
  'jwk',
  'x5c',
  'b64',
  'typ',
  'use',
  'key_ops',
  'constructor',
  'hasOwnProperty',
  'toString',
];

/** Changes one thing in a JSON object, on some level; what is given stays as it is. */
export function mutateMembers(members: JsonMembers, chance: Chance): JsonMembers {
  const copy = structuredClone(members);
  let target = copy;
  for (let inner = innerObjects(target); inner.length > 0 && chance.next() < 0.6; inner = innerObjects(target)) {
    target = chance.pick(inner);
  }
  const names = Object.keys(target);
  const name = names.length === 0 ? 'x' : chance.pick(names);
  const value = target[name];
  switch (chance.below(9)) {
    case 0:
      delete target[name];
      break;
    case 1:
    case 2:
      target[name] = chance.pick(oddValues);
      break;
    case 3:
      target[chance.pick(oddNames)] = chance.pick(oddValues);
      break;
    case 4:
      delete target[name];
      target[oddSpelling(name, chance)] = value;
      break;
    case 5:
      target[name] = [value];
      break;
    case 6:
      target[name] = typeof value === 'string' ? mutateText(value, chance) : JSON.stringify(value);
      break;
    case 7:
      target[name] = typeof value === 'number' ? value + chance.pick([-1e6, -100, -1, 0.5, 1, 100, 1e6]) : { value };
      break;
    default:
      target[name] = target[chance.pick(names.length === 0 ? ['x'] : names)];
  }
  return copy;
}

/** Changes a few characters. */
export function mutateText(text: string, chance: Chance): string {
  const at = chance.below(text.length + 1);
  const until = Math.min(text.length, at + 1 + chance.below(8));
  const odd = chance.pick([
    '\u0000',
    ' ',
    '\n',
    '"',
    '{',
    '}',
    '[',
    ',',
    ':',
    '\\',
    '.',
    '=',
    'A',
    '0',
    '\u200b',
    '\ufeff',
  ]);
  switch (chance.below(8)) {
    case 0:
      return text.slice(0, at) + odd + text.slice(at);
    case 1:
      return text.slice(0, at) + odd + text.slice(at + 1);
    case 2:
      return text.slice(0, at) + text.slice(until);
    case 3:
      return text.slice(0, at);
    case 4:
      return text.slice(0, at) + text.slice(at, until).repeat(2) + text.slice(until);
    case 5:
      return text + odd;
    case 6:
      return odd + text;
    default:
      return text.slice(0, at) + text.slice(at, until).toUpperCase() + text.slice(until);
  }
}

/** Writes JSON as JSON.stringify does, or in one of the ways that parsers quarrel about. */
export function writeJson(members: JsonMembers, chance: Chance): Buffer {
  const plain = JSON.stringify(members);
  const [first = ''] = Object.keys(members);
  switch (chance.below(24)) {
    case 0:
      return Buffer.from(plain.replace('{', `{${JSON.stringify(first)}:null,`));
    case 1:
      return Buffer.from(plain.replace('{', '{"__proto__":{"error":null},'));
    case 2:
      return Buffer.from(plain, 'utf16le');
    case 3:
      return Buffer.from(`\ufeff${plain}`);
    case 4:
      return Buffer.from(JSON.stringify(members, null, 2));
    case 5:
      return Buffer.from(`[${plain}]`);
    case 6:
      return Buffer.from(mutateText(plain, chance));
    case 7: {
      const bytes = Buffer.from(plain);
      bytes[chance.below(bytes.length)] = chance.below(256);
      return bytes;
    }
    case 8:
      return Buffer.from(escapeName(plain, first));
    case 9:
      return Buffer.from(`${'['.repeat(chance.below(40))}${plain}`);
    default:
      return Buffer.from(plain);
  }
}

/** The status and headers of an answer, mostly the right ones. */
export function mutateEnvelope(
  usualStatus: number,
  chance: Chance,
): { status: number; headers: Record<string, string> } {
  const status =
    chance.next() < 0.12 ? chance.pick([200, 201, 204, 206, 302, 400, 401, 403, 429, 500, 502, 503, 504]) : usualStatus;
  const headers: Record<string, string> = {};
  if (chance.next() < 0.05)
    headers['content-type'] = chance.pick(['text/html', 'application/json; charset=utf-16', 'x']);
  if (chance.next() < 0.03) headers['content-encoding'] = chance.pick(['gzip', 'br', 'identity', 'deflate', 'x']);
  if (chance.next() < 0.05)
    headers['retry-after'] = chance.pick(['0', '1', '-1', 'soon', '99999999999', 'Mon, 01 Jan 2001 00:00:00 GMT']);
  if (chance.next() < 0.03) headers['www-authenticate'] = 'Bearer error="invalid_token"';
  return { status, headers };
}

function innerObjects(members: JsonMembers): JsonMembers[] {
  return Object.values(members)
    .flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .filter((value): value is JsonMembers => typeof value === 'object' && value !== null && !Array.isArray(value));
}

function oddSpelling(name: string, chance: Chance): string {
  return chance.pick([
    name.toUpperCase(),
    `${name} `,
    ` ${name}`,
    `${name}\u200b`,
    name.replace(/_/g, '-'),
    `${name}[]`,
    `${name}\u0000`,
  ]);
}

/** The same name in other characters: to a parser it is the same member. */
function escapeName(plain: string, name: string): string {
  const [letter = ''] = name;
  const code = letter.charCodeAt(0).toString(16).padStart(4, '0');
  return plain.replace(JSON.stringify(name), `"\\u${code}${name.slice(1)}"`);
}
