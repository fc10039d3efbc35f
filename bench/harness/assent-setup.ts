import { AssentClient } from '../../test/support/assent-client.js';
import type { Stage } from './stage.js';

/** The rule and the client that a scenario works with. */
export interface Setup {
  readonly ruleId: string;
  readonly ruleName: string;
  readonly clientId: string;
  readonly key: string;
}

export const ruleName = 'Approve a payment';

/** Creates a provider, a rule and an API client over the API, as an administrator does; `rule` and `provider` replace members. */
export async function setUpAssent(stage: Stage, url: string, rule: object = {}, provider: object = {}): Promise<Setup> {
  const admin = new AssentClient(url, stage.apiKey);
  const { issuer, clientId } = stage.outside.started;
  const { id: tokenProviderId } = await admin.create<{ id: string }>('token-providers', {
    name: 'Provider',
    issuer,
    ...provider,
  });
  const { id } = await admin.create<{ id: string }>('rules', {
    name: ruleName,
    type: 'one-time-authorization',
    tokenProviderId,
    clientId,
    clientCredentials: { type: 'secret', clientSecret: 'a secret of the benchmark' },
    loginHintAttribute: 'email',
    bindingMessage: 'Pay {{amount}} to {{payee}}',
    consumeWithinSeconds: 86_400,
    ...rule,
  });
  const client = await admin.create<{ id: string; key: string }>('api-clients', {
    name: 'shop',
    scopes: ['requests:write', 'requests:read'],
  });
  return { ruleId: id, ruleName, clientId: client.id, key: client.key };
}
