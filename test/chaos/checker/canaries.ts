/** How a secret may be spelled where it should not be. */
export interface Spelling {
  readonly encoding: 'raw' | 'base64' | 'base64url' | 'url' | 'hex' | 'json';
  readonly bytes: Buffer;
}

/** Shorter ones would be found everywhere. */
const shortestCanary = 8;

/**
 * Every spelling of a canary to search for. In base64 a text looks different at each of three offsets; what its
 * neighbours may change is left out.
 *
 * @throws Error when the canary is too short to be searched for.
 */
export function encodingsOf(value: string): Spelling[] {
  if (value.length < shortestCanary)
    throw new Error(`a canary of ${value.length} characters would be found everywhere`);
  const raw = Buffer.from(value, 'utf8');
  const inBase64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), raw])
      .toString('base64')
      .replace(/=+$/, '');
    const begin = [0, 2, 3][offset]!;
    const wholeChars = Math.floor(((offset + raw.length) * 8) / 6);
    return text.slice(begin, wholeChars);
  });
  const spellings: [Spelling['encoding'], string][] = [
    ['raw', value],
    ['json', JSON.stringify(value).slice(1, -1)],
    ['url', encodeURIComponent(value)],
    ['hex', raw.toString('hex')],
    ['hex', raw.toString('hex').toUpperCase()],
    ...inBase64.map((text): [Spelling['encoding'], string] => ['base64', text]),
    ...inBase64.map((text): [Spelling['encoding'], string] => [
      'base64url',
      text.replaceAll('+', '-').replaceAll('/', '_'),
    ]),
  ];
  const distinct = new Map(spellings.map(([encoding, text]) => [text, encoding]));
  // The first spelling names a text that several share.
  for (const [encoding, text] of [...spellings].reverse()) distinct.set(text, encoding);
  return [...distinct].map(([text, encoding]) => ({ encoding, bytes: Buffer.from(text, 'utf8') }));
}
