import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { MasterKeyMismatch, SealBroken } from './errors.js';
import { generateMasterKey, Sealing, type SealPlace } from './sealing.js';

const place: SealPlace = { table: 'rules', column: 'secret', id: '1' };
const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;

describe('sealing', () => {
  it('opens what it sealed, whatever the text', () => {
    const sealing = Sealing.parse(generateMasterKey());
    for (const text of ['', 'secret', 'ünï ☃ \u0000', 'x'.repeat(20_000)]) {
      expect(sealing.open(sealing.seal(text, place), place)).toBe(text);
    }
  });

  it('never seals the same text the same way, nor shows it', () => {
    const sealing = Sealing.parse(generateMasterKey());
    const [first, second] = [sealing.seal('canary', place), sealing.seal('canary', place)];
    expect(first.equals(second)).toBe(false);
    expect(first.includes('canary')).toBe(false);
  });

  it.each([
    ['another row', { ...place, id: '2' }],
    ['another column', { ...place, column: 'other' }],
    ['another table', { ...place, table: 'others' }],
  ])('does not open in %s', (_, elsewhere) => {
    const sealing = Sealing.parse(generateMasterKey());
    expect(() => sealing.open(sealing.seal('secret', place), elsewhere)).toThrow(SealBroken);
  });

  it('does not open when any byte was changed, or bytes are missing', () => {
    const sealing = Sealing.parse(key('k'));
    const sealed = sealing.seal('secret', place);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => sealing.open(changed, place)).toThrow();
      expect(() => sealing.open(sealed.subarray(0, at), place)).toThrow();
    }
  });

  it('seals with the first key and opens with all', () => {
    const [old, fresh] = [key('old'), key('fresh')];
    const sealed = Sealing.parse(old).seal('secret', place);
    const both = Sealing.parse(`${fresh}, ${old}`);
    expect(both.open(sealed, place)).toBe('secret');
    expect(both.activeKeyId).toBe('fresh');
    const resealed = both.seal('secret', place);
    expect(() => Sealing.parse(old).open(resealed, place)).toThrow(/"fresh"/);
  });

  it('says which variable has to be mended, and how, and never shows a key', () => {
    const [, bare] = key('k1').split(':') as [string, string];
    expect(() => Sealing.parse(bare)).toThrow(
      'A master key in ASSENT_MASTER_KEYS is not written as id:base64; `openssl rand -base64 32` makes the part behind the colon.',
    );
    expect(() => Sealing.parse('k1:AAAA')).toThrow(
      'Master key "k1" in ASSENT_MASTER_KEYS has 3 bytes, not 32; `openssl rand -base64 32` makes the part behind the colon.',
    );
    expect(() => Sealing.parse(`${key('k1')},${key('k1')}`)).toThrow(
      'Master key "k1" in ASSENT_MASTER_KEYS is there twice: give each key an id of its own.',
    );
  });

  it('names the key that is missing, and takes no other key under its id for it', () => {
    const sealed = Sealing.parse(key('k1')).seal('secret', place);
    expect(() => Sealing.parse(key('k2')).open(sealed, place)).toThrow(MasterKeyMismatch);
    expect(() => Sealing.parse(key('k2')).open(sealed, place)).toThrow(/"k1"/);
    expect(() => Sealing.parse(key('k1')).open(sealed, place)).toThrow(SealBroken);
  });

  it.each([
    ['nothing', ''],
    ['no id', randomBytes(32).toString('base64')],
    ['a short key', `k1:${randomBytes(16).toString('base64')}`],
    ['a long key', `k1:${randomBytes(33).toString('base64')}`],
    ['no base64', 'k1:%%%'],
    ['an empty entry', `${key('k1')},`],
    ['one id twice', `${key('k1')},${key('k1')}`],
  ])('refuses %s, without repeating it', (_, text) => {
    const refused = (() => {
      try {
        return Sealing.parse(text);
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toBeInstanceOf(MasterKeyMismatch);
    const encoded = text.split(':').at(-1)!;
    if (encoded.length > 8) expect(String(refused)).not.toContain(encoded);
  });
});
