import { ProblemError } from '#lib/runtime';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Refuses a call that a page of another site makes, by what the browser says of itself (Fetch Metadata): a second lock
 * beside the token. Callers that say nothing are no browsers of today, or no browsers.
 *
 * @throws ProblemError `cross_site_call`
 */
export function refuseCrossSite(headers: Headers): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw crossSite();
  if (site === undefined && !isOwnOrigin(headers)) throw crossSite();
}

function isOwnOrigin({ origin, host }: Headers): boolean {
  if (origin === undefined) return true;
  return typeof origin === 'string' && URL.canParse(origin) && new URL(origin).host === host;
}

const crossSite = (): ProblemError =>
  new ProblemError('cross_site_call', 'A page of another site made this call. Open the console itself.');
