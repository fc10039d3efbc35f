import type { ExceededLimit } from '#lib/domain';
import type { PromptRefusal } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';

const reasons: Readonly<Record<ExceededLimit, string>> = {
  outstanding: 'Too many requests wait for this person already.',
  'five-minutes': 'This person has been asked too often in the last 5 minutes.',
  hour: 'This person has been asked too often in the last hour.',
  'cool-down': 'This person is left alone for a while.',
  client: 'This API client has asked too often in this minute.',
  rule: 'This rule has been used too often in this minute.',
};

/** The refusal of a request that met a limit: 429 with the headers that tell a program when to come again. */
export function promptLimit({ limit, quota, windowSeconds, retryAfterSeconds }: PromptRefusal): ProblemError {
  const detail = `${reasons[limit]} Nobody was asked and nothing was stored. Try again in ${retryAfterSeconds} s.`;
  return new ProblemError('prompt_limit', detail, {
    headers: {
      'retry-after': String(retryAfterSeconds),
      'ratelimit-policy': `"${limit}";q=${quota}${windowSeconds === null ? '' : `;w=${windowSeconds}`}`,
      ratelimit: `"${limit}";r=0;t=${retryAfterSeconds}`,
    },
  });
}
