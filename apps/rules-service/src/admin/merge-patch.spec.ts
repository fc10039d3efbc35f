import { expect, it } from '@jest/globals';
import { mergePatch } from './merge-patch.js';

// RFC 7396, appendix A
it.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('merges %j with %j', (target, patch, merged) => {
  expect(mergePatch(target, patch)).toEqual(merged);
});

it('replaces an object whose type changes', () => {
  const target = { name: 'n', credentials: { type: 'secret', method: 'client_secret_post' } };
  const patch = { credentials: { type: 'mutual-tls', keyPairId: 'k' } };
  expect(mergePatch(target, patch)).toEqual({ name: 'n', credentials: { type: 'mutual-tls', keyPairId: 'k' } });
  expect(mergePatch(target, { credentials: { type: 'secret' } })).toEqual(target);
});

it('leaves its arguments as they are', () => {
  const target = { a: { b: 1 } };
  mergePatch(target, { a: { b: 2 }, c: 3 });
  expect(target).toEqual({ a: { b: 1 } });
});
