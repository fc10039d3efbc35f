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

// The schema has words of its own where a text has to be something special; that it is missing needs none.
const detailOf = ({ message }: z.core.$ZodIssue): string =>
  message === 'Too small: expected string to have >=1 characters' ? 'Fill this in.' : message;

/** Puts the focus on the first field that is wrong, once it shows that; where none is, brings into sight what the form says. */
export const focusFirstMistake = (): void =>
  void requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const field = document.querySelector<HTMLElement>('form [aria-invalid="true"]');
      if (field) field.focus();
      else document.querySelector('form [role="alert"]')?.scrollIntoView({ block: 'center' });
    }),
  );
