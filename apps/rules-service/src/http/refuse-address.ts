import type { OutboundGuard } from '#lib/runtime';
import { invalidMember } from './invalid-member.js';

/**
 * Refuses an address that Assent would never call, by its text; whatever its name resolves to is judged at each call.
 *
 * @throws ProblemError `callback_url_refused`
 */
export function refuseAddress(guard: OutboundGuard, url: string, pointer: string): void {
  const problem = guard.problem(url);
  if (problem === null) return;
  throw invalidMember(
    pointer,
    `This address will not be called: ${problem}. Give a public https address.`,
    'callback_url_refused',
  );
}
