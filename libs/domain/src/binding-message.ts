/** What the person reads on the phone: rendered from the rule's template and made fit for the provider. */

/** What a provider accepts as `binding_message`; data from its profile. */
export interface BindingMessageLimits {
  /** Longest text in characters (code points). */
  readonly maxLength: number;
  /** Matches one allowed character; null: every printable character. */
  readonly alphabet: RegExp | null;
  /** Stands for a character that the provider refuses. */
  readonly replacement: string;
  /** A message must be sent; a code is made up when the caller gives none. */
  readonly required: boolean;
}

// Controls, line breaks, bidirectional overrides, fillers and other invisible characters: what could show another text
// than was sent.
const deceptive = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu;

/** What no provider is known to refuse. */
const strictestLimits: BindingMessageLimits = {
  maxLength: 20,
  alphabet: /[a-zA-Z0-9\-._]/,
  replacement: '-',
  required: false,
};

/** The text for a provider that refused `text`: null when it is as plain as can be, or nothing readable is left of it. */
export function strictBindingMessage(text: string): string | null {
  const strict = fitBindingMessage(text.normalize('NFKD').replace(/\p{M}/gu, ''), strictestLimits);
  return strict === text || !/[a-zA-Z0-9]/.test(strict) ? null : strict;
}

/**
 * Makes a text fit for the provider: the result is what is sent, shown on the phone, and returned to the caller. What is too
 * long loses whole words, so that no amount is read as a smaller one.
 */
export function fitBindingMessage(text: string, limits: BindingMessageLimits): string {
  // Spaces first, so that a line break parts words; again afterwards, for spaces that only something invisible parted.
  const plain = text.normalize('NFC').replace(/\s+/gu, ' ').replace(deceptive, '').replace(/ +/g, ' ').trim();
  return wholeWords([...plain], limits.maxLength)
    .map((c) => (limits.alphabet === null || limits.alphabet.test(c) ? c : limits.replacement))
    .join('')
    .trim();
}

function wholeWords(characters: readonly string[], maxLength: number): readonly string[] {
  if (characters.length <= maxLength) return characters;
  const lastSpace = characters.lastIndexOf(' ', maxLength);
  // A single word that is too long has no better place.
  return characters.slice(0, lastSpace > 0 ? lastSpace : maxLength);
}
