import { ProblemError } from '#lib/runtime';

/**
 * What the broker answers; when it does not, the caller is told so.
 *
 * @throws ProblemError `broker_unavailable`
 */
export async function inBrokerTerms<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    const detail = 'The broker does not answer, or takes no messages just now. What was not moved is where it was.';
    throw Object.assign(new ProblemError('broker_unavailable', detail, { headers: { 'retry-after': '2' } }), {
      cause: error,
    });
  }
}

/** @throws ProblemError `not_found` */
export function orNotFound<Found>(found: Found | null | false): Found {
  if (found === null || found === false) throw new ProblemError('not_found', 'There is no such dead letter.');
  return found;
}
