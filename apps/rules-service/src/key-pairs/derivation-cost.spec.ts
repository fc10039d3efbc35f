import { describe, expect, it } from '@jest/globals';
import forge from 'node-forge';
import { refuseCostlyDerivation } from './derivation-cost.js';

const { Class, Type, create, integerToDer, oidToDer } = forge.asn1;
const sequence = (...children: forge.asn1.Asn1[]) => create(Class.UNIVERSAL, Type.SEQUENCE, true, children);
const oid = (name: string) => create(Class.UNIVERSAL, Type.OID, false, oidToDer(name).getBytes());
const octets = (bytes: string) => create(Class.UNIVERSAL, Type.OCTETSTRING, false, bytes);
const number = (value: number) => create(Class.UNIVERSAL, Type.INTEGER, false, integerToDer(value).getBytes());

/** EncryptedPrivateKeyInfo (RFC 5958) under PBES2 (RFC 8018 §6.2) with this derivation. */
const sealedKey = (derivation: forge.asn1.Asn1) =>
  sequence(
    sequence(
      oid('1.2.840.113549.1.5.13'),
      sequence(derivation, sequence(oid('2.16.840.1.101.3.4.1.42'), octets('i'.repeat(16)))),
    ),
    octets('\u0001'.repeat(64)),
  );
const pbkdf2 = (rounds: number) =>
  sealedKey(sequence(oid('1.2.840.113549.1.5.12'), sequence(octets('salt'), number(rounds), number(32))));
const scrypt = (n: number, r: number, p: number) =>
  sealedKey(sequence(oid('1.3.6.1.4.1.11591.4.11'), sequence(octets('salt'), number(n), number(r), number(p))));
const judged = (file: forge.asn1.Asn1) => () => refuseCostlyDerivation(file, '/pem/privateKey');

describe('the derivation of a key from a password', () => {
  it.each([
    ['PBKDF2, 2,048 rounds', pbkdf2(2_048)],
    ['PBKDF2, 300,000 rounds', pbkdf2(300_000)],
    ['scrypt as openssl has it', scrypt(16_384, 8, 1)],
  ])('may cost a second: %s', (_, file) => {
    expect(judged(file)).not.toThrow();
  });

  it.each([
    ['PBKDF2, 300,001 rounds', pbkdf2(300_001)],
    ['PBKDF2, rounds without end', pbkdf2(2_147_483_647)],
    // Each of these numbers alone is small; together they take from minutes to hours.
    ['scrypt, side by side', scrypt(16_384, 1, 130_000)],
    ['scrypt, wide blocks', scrypt(16_384, 512, 1)],
    ['scrypt, a little more than a second', scrypt(16_384, 8, 3)],
  ])('may not cost more: %s', (_, file) => {
    expect(judged(file)).toThrow('invalid_key_pair');
  });
});
