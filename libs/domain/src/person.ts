/** How the name of a person is compared: limits, entitlements and erasure see the same person behind every spelling. */

// RFC 3966 without its parameters; people write the digits apart.
const phoneNumber = /^(?:tel:)?\+?(?:[\s().-]*\d){6,}[\s().-]*$/;
const invisible = /[\p{Cc}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * The one spelling under which a person is known: compatibility forms, case, blanks and invisible characters do not
 * count, and of a telephone number only its digits do. Two people who differ in nothing else count as one.
 */
export function personName(text: string): string {
  const folded = text
    .normalize('NFKC')
    .replace(/\s+/gu, ' ')
    .replace(invisible, '')
    .toLowerCase()
    .normalize('NFKC')
    .trim();
  if (!phoneNumber.test(folded)) return folded;
  const digits = folded.replace(/[^\d+]/g, '').replace(/^00/, '+');
  return digits.startsWith('+') ? `+${digits.replaceAll('+', '')}` : digits.replaceAll('+', '');
}

/** True when a text has characters that nobody sees: what reads like one name may be another one to the provider. */
export const hasInvisible = (text: string): boolean => new RegExp(invisible).test(text);
