import { describe, expect, it } from '@jest/globals';
import { auditWish } from './audit.js';
import { CommandProblem } from './terminal.js';

const hash = 'x'.repeat(43);

describe('assent audit', () => {
  it.each([
    ['export', {}, { kind: 'export' }],
    ['verify', {}, { kind: 'verify', file: null, keys: null, anchors: [] }],
    ['verify', { file: '-', keys: 'k' }, { kind: 'verify', file: '-', keys: 'k', anchors: [] }],
    ['verify', { anchor: [`7:${hash}`] }, { kind: 'verify', file: null, keys: null, anchors: [{ sequence: 7, hash }] }],
  ])('understands "%s" with %j', (words, flags, wish) => {
    expect(auditWish(words.split(' '), flags)).toEqual(wish);
  });

  it.each([
    ['', {}],
    ['check', {}],
    ['verify now', {}],
    ['export', { file: 'x' }],
    ['verify', { anchor: ['7'] }],
    ['verify', { anchor: [`0:${hash}`] }],
  ])('refuses "%s" with %j', (words, flags) => {
    expect(() => auditWish(words.split(' ').filter(Boolean), flags)).toThrow(CommandProblem);
  });
});
