import forge from 'node-forge';
import { invalidMember } from '../http/invalid-member.js';

/** Rounds of key derivation that one import may cost: about a second, in which nothing else is answered. */
const maxRounds = 300_000;

/** Deeper than any key file nests. */
const maxDepth = 40;

/**
 * Refuses a file whose passwords would take too long to try. The numbers stand in the parameters of the algorithms that
 * are visible before anything is decrypted.
 *
 * @throws ProblemError `invalid_key_pair`
 */
export function refuseCostlyDerivation(file: forge.asn1.Asn1, pointer: string): void {
  if (roundsIn(file, 0) <= maxRounds) return;
  throw invalidMember(
    pointer,
    `The file asks for more than ${maxRounds} rounds of key derivation. Export it again with fewer iterations.`,
    'invalid_key_pair',
  );
}

// Parameters that count rounds are a sequence with a salt (an octet string) directly before the number:
// PBEParameter, PBKDF2-params (RFC 8018, appendix A), pkcs-12PbeParams and MacData (RFC 7292).
function roundsIn(node: forge.asn1.Asn1, depth: number): number {
  if (depth > maxDepth) return Number.POSITIVE_INFINITY;
  if (typeof node.value === 'string') {
    const inner = node.type === forge.asn1.Type.OCTETSTRING ? parsed(node.value) : null;
    return inner === null ? 0 : roundsIn(inner, depth + 1);
  }
  const children = node.value;
  const own = children.map((_, index) => (index > 0 && isOctets(children[index - 1]!) ? costAt(children, index) : 0));
  return [...own, ...children.map((child) => roundsIn(child, depth + 1))].reduce((sum, rounds) => sum + rounds, 0);
}

/**
 * The cost that is counted from this place on. What has three numbers in a row is scrypt's (RFC 7914 §7): its work is their
 * product, and about as many rounds of PBKDF2 take as long.
 */
function costAt(children: readonly forge.asn1.Asn1[], index: number): number {
  if (!isNumber(children[index]!)) return 0;
  const numbers = children
    .slice(index, index + 3)
    .filter(isNumber)
    .map(numberOf);
  return numbers.length === 3 ? numbers.reduce((product, number) => product * number, 1) : numbers[0]!;
}

const isNumber = ({ tagClass, type }: forge.asn1.Asn1): boolean =>
  tagClass === forge.asn1.Class.UNIVERSAL && type === forge.asn1.Type.INTEGER;

const isOctets = (node: forge.asn1.Asn1): boolean =>
  node.tagClass === forge.asn1.Class.UNIVERSAL && node.type === forge.asn1.Type.OCTETSTRING;

function numberOf({ value }: forge.asn1.Asn1): number {
  if (typeof value !== 'string') return 0;
  return value.length > 6 ? Number.POSITIVE_INFINITY : Number.parseInt(forge.util.bytesToHex(value), 16);
}

// Most octet strings hold no structure.
function parsed(bytes: string): forge.asn1.Asn1 | null {
  try {
    return forge.asn1.fromDer(bytes);
  } catch {
    return null;
  }
}
