import type { Problem } from '#lib/contracts';
import {
  countedLimits,
  quotaOf,
  renderRejection,
  type ExceededLimit,
  type PromptLimits,
  type RejectionHandlerDefinition,
} from '#lib/domain';
import type { LimitsLeft, PromptRefusal } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { rateLimitHeaders } from '../http/rate-limit.js';

const reasons: Readonly<Record<ExceededLimit, string>> = {
  outstanding: 'Too many requests wait for this person already.',
  'five-minutes': 'This person has been asked too often in the last 5 minutes.',
  hour: 'This person has been asked too often in the last hour.',
  'cool-down': 'This person is left alone for a while.',
  client: 'This API client has asked too often in this minute.',
  rule: 'This rule has been used too often in this minute.',
};

/**
 * The refusal of a request that met a limit: 429 with the headers that tell a program when to come again, and with what
 * the Default Rate Limiting Rejection Handler has for the caller's user; null when there is none.
 */
export function promptLimit(
  { limit, quota, windowSeconds, retryAfterSeconds }: PromptRefusal,
  rejection: Problem['rejection'] | null,
): ProblemError {
  const detail = `${reasons[limit]} Nobody was asked and nothing was stored. Try again in ${retryAfterSeconds} s.`;
  return new ProblemError('prompt_limit', detail, {
    ...(rejection && { rejection }),
    headers: {
      'retry-after': String(retryAfterSeconds),
      ...rateLimitHeaders([{ name: limit, quota, windowSeconds, left: 0, waitSeconds: retryAfterSeconds }]),
    },
  });
}

/** The header fields of a request that was stored: every limit that it was counted against, and what is left of each. */
export const limitsLeftHeaders = (limits: PromptLimits, left: LimitsLeft): Readonly<Record<string, string>> =>
  rateLimitHeaders(
    countedLimits.flatMap((name) => {
      const now = left[name];
      return now === null ? [] : [{ name, ...quotaOf(limits, name), left: now }];
    }),
  );

/** What of a refused request a template may show: nothing was stored, so it has no id. */
export interface RefusedRequest {
  readonly ruleName: string;
  readonly bindingMessage: string | null;
}

/** Renders the handler for a refused request. */
export function rateLimitRejection(
  {
    id,
    name,
    definition,
  }: { readonly id: string; readonly name: string; readonly definition: RejectionHandlerDefinition },
  { ruleName, bindingMessage }: RefusedRequest,
): NonNullable<Problem['rejection']> {
  const values = { requestId: '', outcome: '', reason: 'prompt_limit', expiresAt: '', ...tooOften };
  const rendered = renderRejection(definition, { ...values, ruleName, bindingMessage: bindingMessage ?? '' });
  return { handler: { id, name }, response: { ...rendered, headers: { ...rendered.headers } } };
}

const tooOften = {
  title: 'Asked too often',
  header: 'There were too many requests',
  info: 'Approval was asked for too often in a short time. Nothing was done; please try again later.',
};
