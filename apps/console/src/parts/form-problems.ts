import type { Problem } from '#lib/contracts';
import type { z } from 'zod';
import { ApiProblem } from '../api/client.js';

type MemberProblems = NonNullable<Problem['errors']>;

/** Which field shows a member of the body (by its JSON pointer); null: none. */
export type FieldOf = (pointer: string) => string | null;

/** What a form shows: a sentence at each field, and what has no field. */
export interface FormProblems {
  readonly fields: Record<string, string>;
  readonly rest: MemberProblems;
}

function sorted(problems: MemberProblems, fieldOf: FieldOf): FormProblems {
  const fields: Record<string, string> = {};
  const rest: MemberProblems = [];
  for (const problem of problems) {
    const field = fieldOf(problem.pointer);
    if (field === null) rest.push(problem);
    else fields[field] ??= problem.detail;
  }
  return { fields, rest };
}

/** What the service refuses in a body, by the fields of the form. */
export const problemsOfAnswer = (error: unknown, fieldOf: FieldOf): FormProblems =>
  sorted(error instanceof ApiProblem ? (error.problem.errors ?? []) : [], fieldOf);

/** What the contract refuses before anything is sent. */
export function problemsOfBody(schema: z.ZodType, body: unknown, fieldOf: FieldOf): FormProblems {
  const result = schema.safeParse(body);
  if (result.success) return { fields: {}, rest: [] };
  return sorted(
    result.error.issues.map((issue) => ({
      pointer: issue.path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
      code: String(issue.code),
      detail: detailOf(issue),
    })),
    fieldOf,
  );
}

// The schema has words of its own where a text has to be something special. Where it has none, those of the library are for
// programmers.
function detailOf(issue: z.core.$ZodIssue): string {
  const { code, message } = issue;
  if (message === 'Too small: expected string to have >=1 characters') return 'Fill this in.';
  if (code === 'too_small' && message.startsWith('Too small: expected number')) return `At least ${issue.minimum}.`;
  if (code === 'too_big' && message.startsWith('Too big: expected number')) return `At most ${issue.maximum}.`;
  if (code === 'invalid_type' && message.startsWith('Invalid input: expected ')) {
    if (issue.expected === 'number' || issue.expected === 'int') return 'Give a whole number.';
    // What is no JSON stays as it was typed.
    if (issue.expected === 'array') return 'Give a JSON array, as in [ … ].';
    if (issue.expected === 'object') return 'Give a JSON object, as in { … }.';
  }
  return message;
}

/** Puts the focus on the first field that is wrong, once it shows that; where none is, brings into sight what the form says. */
export const focusFirstMistake = (): void =>
  void requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const field = document.querySelector<HTMLElement>('form [aria-invalid="true"]');
      if (field) field.focus();
      else document.querySelector('form [role="alert"]')?.scrollIntoView({ block: 'center' });
    }),
  );
