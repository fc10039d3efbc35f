import { expect, it } from '@jest/globals';
import { RecentMap } from './recent-map.js';

it('forgets what was used least recently, where reading counts as use', () => {
  const map = new RecentMap<string, number>(3);
  for (const [at, key] of ['a', 'b', 'c'].entries()) map.set(key, at);
  for (const key of ['c', 'a', 'a', 'c', 'a']) expect(map.get(key)).toBe('abc'.indexOf(key));
  map.set('d', 3);
  expect(map.get('b')).toBeUndefined();
  expect([...map.values()]).toEqual([2, 0, 3]);
  expect(map.get('c')).toBe(2);
  map.set('e', 4);
  expect([...map.values()]).toEqual([3, 2, 4]);
});
