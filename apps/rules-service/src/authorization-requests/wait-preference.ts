/** The longest that a call waits. */
const maxWaitSeconds = 60;

/** How long the caller wants to wait, and whether it is told so (RFC 7240 §3). */
export interface WaitPreference {
  readonly seconds: number;
  /** For `Preference-Applied`; null when nothing was preferred by header. */
  readonly applied: string | null;
}

/**
 * Reads `Prefer: wait=<seconds>` (RFC 7240 §4.3), else the `wait` of the query; more than 60 s count as 60.
 *
 * A preference that cannot be read is ignored, as RFC 7240 §2 wants it; the first one of several counts.
 */
export function waitPreference(header: string | string[] | undefined, query?: number): WaitPreference {
  const preferred = secondsPreferred(Array.isArray(header) ? header.join(',') : (header ?? ''));
  if (preferred === null) return { seconds: Math.min(query ?? 0, maxWaitSeconds), applied: null };
  const seconds = Math.min(preferred, maxWaitSeconds);
  return { seconds, applied: `wait=${seconds}` };
}

const preference = /(?:^|,)\s*wait\s*=\s*(?:"(\d{1,9})"|(\d{1,9}))\s*(?:;[^,]*)?(?=,|$)/i;

function secondsPreferred(header: string): number | null {
  const match = preference.exec(header);
  return match ? Number(match[1] ?? match[2]) : null;
}
