import { ProblemError } from '#lib/runtime';

/** Also the answer for a request of another API client: whether it exists is nobody else's business. */
export const noSuchRequest = (): ProblemError =>
  new ProblemError('not_found', 'There is no such authorization request.');
