import { referencesIn } from '#lib/contracts';
import { invalidMember } from '../http/invalid-member.js';

/** Members that hold what is secret, or key material: nothing that looks like a reference is meant as it stands. */
const refused = new Set([
  'clientSecret',
  'certificate',
  'privateKey',
  'pkcs12',
  'password',
  'secret',
  'key',
  'callbackSecret',
]);

/**
 * Refuses a reference that was not resolved: `${env:NAME}` must not become anybody's secret.
 *
 * @throws ProblemError `invalid_body`
 */
export function refuseReferences(body: object, pointer = ''): void {
  for (const [member, value] of Object.entries(body as Record<string, unknown>)) {
    const at = `${pointer}/${member}`;
    if (typeof value === 'object' && value !== null) refuseReferences(value, at);
    else if (typeof value === 'string' && refused.has(member) && referencesIn(value).length > 0) {
      throw invalidMember(at, 'This is a reference. Whoever sends a configuration puts in what it stands for.');
    }
  }
}
