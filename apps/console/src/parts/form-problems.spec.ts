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
