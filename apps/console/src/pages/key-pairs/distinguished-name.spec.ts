import { expect, it } from '@jest/globals';
import { distinguishedName } from './distinguished-name.js';

const none = { CN: '', O: '', OU: '', L: '', ST: '', C: '' };

it.each([
  [{ CN: 'client.example' }, 'CN=client.example'],
  [{ CN: 'client.example', O: 'Example, Inc.', C: 'CH' }, 'CN=client.example, O=Example\\, Inc., C=CH'],
  [{ CN: '#1 "best" <x>; a+b=c\\d' }, 'CN=\\#1 \\"best\\" \\<x\\>\\; a\\+b\\=c\\\\d'],
  [{ CN: '  padded  ' }, 'CN=padded'],
  [{}, ''],
])('of %j is %s', (parts, text) => {
  expect(distinguishedName({ ...none, ...parts })).toBe(text);
});
