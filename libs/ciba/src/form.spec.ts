import { expect, it } from '@jest/globals';
import { encodeForm, encodeFormValue } from './form.js';

it('leaves out what is null and keeps what is empty', () => {
  expect(encodeForm({ a: '1', b: null, c: '' })).toBe('a=1&c=');
});

it('encodes what a form cannot carry as it is', () => {
  expect(encodeFormValue('a b+c&d=é/%~*-._')).toBe('a+b%2Bc%26d%3D%C3%A9%2F%25%7E*-._');
});

it('never throws', () => {
  expect(encodeFormValue('\ud800')).toBe('%EF%BF%BD');
});
