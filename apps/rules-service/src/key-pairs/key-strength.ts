import type { KeyObject } from 'node:crypto';
import { invalidMember } from '../http/invalid-member.js';

const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

/**
 * Names a key's algorithm, for example `RSA 2048` or `EC P-256`.
 *
 * @throws ProblemError `invalid_key_pair` for keys that are too weak, too slow, or of another kind
 */
export function strongKeyAlgorithm({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, pointer: string): string {
  if (asymmetricKeyType === 'rsa') {
    const bits = asymmetricKeyDetails?.modulusLength ?? 0;
    if (bits >= 2048 && bits <= 8192) return `RSA ${bits}`;
    throw refused(pointer, `An RSA key of ${bits} bits is not accepted. Use 2048 to 8192 bits.`);
  }
  if (asymmetricKeyType === 'ec') {
    const curve = asymmetricKeyDetails?.namedCurve ?? 'unknown';
    if (Object.hasOwn(curves, curve)) return `EC ${curves[curve]}`;
    throw refused(pointer, `The curve ${curve} is not accepted. Use P-256, P-384 or P-521.`);
  }
  throw refused(pointer, `A key of type ${asymmetricKeyType} is not accepted. Use RSA or EC.`);
}

const refused = (pointer: string, detail: string) => invalidMember(pointer, detail, 'invalid_key_pair');
