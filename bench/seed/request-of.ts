import { randomBytes, randomUUID } from 'node:crypto';
import { noPromptLimits } from '#lib/domain';
import type { NewRequest, RuleRow } from '#lib/persistence';
import { v7 as uuid } from 'uuid';

/** Whose request it is, and where its decision goes. */
export interface RequestOwner {
  readonly apiClientId: string;
  readonly callbackUrl?: string | null;
  /** The person's name at the provider; somebody new when left out. */
  readonly person?: string;
}

/** A request as the rules service stores it, about a person of its own. */
export function requestOf(rule: RuleRow, { apiClientId, callbackUrl = null, person }: RequestOwner): NewRequest {
  const id = uuid();
  const hint = person ?? `${id}@example.com`;
  return {
    id,
    apiClientId,
    idempotencyKey: randomUUID(),
    bodyHash: randomBytes(32),
    rule: { id: rule.id, name: rule.definition.name, version: rule.version },
    tokenProviderId: rule.definition.tokenProviderId,
    attributes: { email: hint, amount: '25.00 EUR', payee: 'Shop' },
    loginHint: hint,
    person: hint,
    limits: noPromptLimits,
    joinText: null,
    bindingMessage: 'Pay 25.00 EUR to Shop',
    userCode: null,
    metadata: {},
    callbackUrl,
    requestHash: randomBytes(32).toString('base64url'),
    traceparent: null,
  };
}
