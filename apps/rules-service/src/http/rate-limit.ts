import type { Quota } from '#lib/domain';

/** A limit that a call was counted against, and what is left of it now. */
export interface CountedLimitNow extends Quota {
  readonly name: string;
  readonly left: number;
  /** Until there is room again, in s; left out while there is some. */
  readonly waitSeconds?: number;
}

/** The fields that tell of limits (draft-ietf-httpapi-ratelimit-headers-11 §3, §4); none where there is no limit. */
export function rateLimitHeaders(limits: readonly CountedLimitNow[]): Readonly<Record<string, string>> {
  if (limits.length === 0) return {};
  const policies = limits.map(
    ({ name, quota, windowSeconds }) => `"${name}";q=${quota}${windowSeconds === null ? '' : `;w=${windowSeconds}`}`,
  );
  const standings = limits.map(
    ({ name, left, waitSeconds }) => `"${name}";r=${left}${waitSeconds === undefined ? '' : `;t=${waitSeconds}`}`,
  );
  return { 'ratelimit-policy': policies.join(', '), ratelimit: standings.join(', ') };
}
