import type { ProblemCode } from '#lib/contracts';
import { ProblemError } from '#lib/runtime';

/** A problem with one member of the body; `pointer` is a JSON pointer (RFC 6901). */
export const invalidMember = (pointer: string, detail: string, code: ProblemCode = 'invalid_body'): ProblemError =>
  new ProblemError(code, detail, { errors: [{ pointer, code, detail }] });
