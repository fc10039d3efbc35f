import { ProblemError } from '#lib/runtime';

/** The page that the console opens with. */
export const startPage = '/console/overview';

/**
 * The page of the console to which a login comes back; nowhere else, whatever a browser makes of the text.
 *
 * @throws ProblemError `invalid_parameter`
 */
export function returnAddress(given: string | undefined): string {
  if (given === undefined) return startPage;
  // Browsers read a backslash as a slash, and skip control characters and blanks at the ends.
  const plain = /^\/console(\/[\w./~%@:!$&'()*+,;=-]*)?([?#][\w./~%@:!$&'()*+,;=?#-]*)?$/.test(given);
  const { origin, pathname, search, hash } = new URL(plain ? given : '/', 'https://console.invalid');
  const inside = pathname === '/console' || (pathname.startsWith('/console/') && !pathname.startsWith('/console/api'));
  if (plain && inside && origin === 'https://console.invalid' && pathname + search + hash === given) return given;
  throw new ProblemError('invalid_parameter', 'returnTo is no page of the console.', {
    errors: [{ pointer: '/returnTo', code: 'refused', detail: 'Give a path such as /console/overview.' }],
  });
}
