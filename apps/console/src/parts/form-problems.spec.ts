import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { problemsOfBody } from './form-problems.js';

const schema = z.strictObject({
  clientId: z.string().min(1),
  name: z.string().min(1, 'Give a name.'),
  others: z.array(z.string()),
});
const fieldOf = (pointer: string): string | null => (pointer.startsWith('/others') ? null : pointer.slice(1));

it('says of what is missing that it is, and the schema’s own words where it has some', () => {
  const { fields, rest } = problemsOfBody(schema, { clientId: '', name: '', others: [1] }, fieldOf);
  expect(fields).toEqual({ clientId: 'Fill this in.', name: 'Give a name.' });
  expect(rest.map(({ pointer }) => pointer)).toEqual(['/others/0']);
});

it('says what to give where the schema has the words of programmers only', () => {
  const numbers = z.strictObject({
    small: z.number().int().min(0),
    big: z.number().int().max(825),
    none: z.number().int(),
    half: z.number().int(),
    list: z.array(z.string()),
    own: z.number().max(3, 'Three will do.'),
  });
  const typed = { small: -5, big: 99_999, none: 'many', half: 1.5, list: '[{', own: 4 };
  expect(problemsOfBody(numbers, typed, (pointer) => pointer.slice(1)).fields).toEqual({
    small: 'At least 0.',
    big: 'At most 825.',
    none: 'Give a whole number.',
    half: 'Give a whole number.',
    list: 'Give a JSON array, as in [ … ].',
    own: 'Three will do.',
  });
});
