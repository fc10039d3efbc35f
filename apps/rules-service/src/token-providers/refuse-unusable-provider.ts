import { X509Certificate } from 'node:crypto';
import type { TokenProviderBody } from '#lib/contracts';
import type { OutboundGuard } from '#lib/runtime';
import { invalidMember } from '../http/invalid-member.js';

/**
 * Refuses a provider that can never work, by what is written alone: nobody is called.
 *
 * @throws ProblemError `invalid_body`
 */
export function refuseUnusableProvider(body: TokenProviderBody, guard: OutboundGuard): TokenProviderBody {
  const problem = guard.problem(body.issuer);
  if (problem !== null) {
    throw invalidMember('/issuer', `This issuer will not be called: ${problem}. Give its public https address.`);
  }
  body.trustedCertificates.forEach((pem, index) => {
    if (!isCertificate(pem)) {
      throw invalidMember(`/trustedCertificates/${index}`, 'This is not a certificate in PEM. Give one per entry.');
    }
  });
  return body;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
