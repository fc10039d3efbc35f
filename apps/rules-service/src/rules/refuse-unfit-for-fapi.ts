import type { RuleBody } from '#lib/contracts';
import { ProblemError } from '#lib/runtime';

type FapiBody = Pick<RuleBody, 'fapi' | 'clientCredentials' | 'deliveryMode'>;

/**
 * Refuses what FAPI-CIBA does not allow a rule (FAPI-CIBA 5.2.2), all at once.
 *
 * @throws ProblemError
 */
export function refuseUnfitForFapi({ fapi, clientCredentials, deliveryMode }: FapiBody): void {
  if (!fapi) return;
  const errors = [
    ...(clientCredentials.type === 'secret'
      ? [refusal('/clientCredentials/type', 'Use "private-key-jwt" or "mutual-tls": FAPI takes no client secret.')]
      : []),
    ...(deliveryMode === 'push' ? [refusal('/deliveryMode', 'Use "poll" or "ping": FAPI takes no push.')] : []),
  ];
  if (errors.length > 0) throw new ProblemError('invalid_body', 'The rule contradicts "fapi".', { errors });
}

const refusal = (pointer: string, detail: string) => ({ pointer, code: 'fapi', detail });
