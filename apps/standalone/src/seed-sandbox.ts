import { ruleDefaults, type RuleDefinition } from '#lib/domain';
import type { Database } from '#lib/persistence';

const sandboxProviderName = 'Sandbox';
const sandboxRuleName = 'Approve a payment';

/** Defines the provider `Sandbox` and the rule `Approve a payment`, unless they are there: whoever edits them keeps the edit. */
export async function seedSandbox(
  database: Database,
  sandbox: { readonly issuer: string; readonly client: { readonly clientId: string; readonly clientSecret: string } },
): Promise<void> {
  const existing = await database.tokenProviders.findByName(sandboxProviderName);
  const created =
    existing ??
    (await database.tokenProviders
      .create({
        name: sandboxProviderName,
        issuer: sandbox.issuer,
        profile: 'generic',
        metadata: null,
        trustedCertificates: [],
      })
      .then((result) => (result.kind === 'created' ? result.row : null)));
  if (created === null || (await database.rules.findByName(sandboxRuleName)) !== null) return;
  const definition: RuleDefinition = {
    name: sandboxRuleName,
    ...ruleDefaults,
    tokenProviderId: created.id,
    clientId: sandbox.client.clientId,
    clientCredentials: { type: 'secret', method: null },
    loginHintAttribute: 'email',
    scopes: ['profile'],
    requestedExpirySeconds: 120,
    bindingMessage: 'Approve the payment {{amount}}',
  };
  await database.rules.create({ definition, clientSecret: sandbox.client.clientSecret });
}
