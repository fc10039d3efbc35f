import { randomBytes } from 'node:crypto';
import { AssentClient } from '../support/assent-client.js';
import type { ApiClient } from './load.js';
import type { ProviderClient } from './provider-ledger.js';
import { briefConsumeSeconds, ruleDefinitions, ruleNames, type RuleName } from './request-plan.js';

/** What stands for nothing else in the run: found anywhere in logs, events or plain columns, it has leaked. */
export interface Markers {
  readonly loginHint: string;
  readonly authReqId: string;
  readonly accessToken: string;
  readonly clientSecret: string;
}

export const newMarkers = (): Markers => {
  const marker = (what: string): string => `canary-${what}-${randomBytes(6).toString('hex')}`;
  return {
    loginHint: marker('person'),
    authReqId: marker('arid'),
    accessToken: marker('token'),
    clientSecret: marker('secret'),
  };
};

/** The clients that the provider knows, one for each rule. */
export const providerClients = (markers: Markers): Record<RuleName, ProviderClient> =>
  Object.fromEntries(
    ruleNames.map((name, at) => [
      name,
      {
        clientId: `client-${at + 1}`,
        clientSecret: `${markers.clientSecret}-${at + 1}`,
        mode: ruleDefinitions[name].deliveryMode,
        expiresInSeconds: ruleDefinitions[name].expiresInSeconds,
        intervalSeconds: ruleDefinitions[name].intervalSeconds,
      },
    ]),
  ) as Record<RuleName, ProviderClient>;

export interface ConfiguredRule {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly onInitiationUnknown: string;
  readonly releaseAccessToken: boolean;
  readonly deliveryMode: string;
  readonly consumeWithinSeconds: number;
}

/** What was created over the API before the load begins. */
export interface Configuration {
  readonly rules: readonly ConfiguredRule[];
  readonly apiClients: readonly (ApiClient & { readonly id: string; readonly callbackSecret: string | null })[];
  readonly webhookEndpoints: readonly {
    readonly id: string;
    readonly url: string;
    readonly secrets: readonly string[];
    readonly events: readonly string[];
  }[];
}

/** Creates the provider, the rules, three API clients and two webhook endpoints. */
export async function configure(
  assent: AssentClient,
  clients: Record<RuleName, ProviderClient>,
  issuer: string,
  sinkUrls: readonly [string, string],
): Promise<Configuration> {
  const provider = await assent.create<{ id: string }>('token-providers', { name: 'Provider', issuer });
  const rules: ConfiguredRule[] = [];
  for (const name of ruleNames) {
    const { deliveryMode, onInitiationUnknown, releaseAccessToken, consumeWithinSeconds } = ruleDefinitions[name];
    const { clientId, clientSecret } = clients[name];
    rules.push(
      await assent.create<ConfiguredRule>('rules', {
        name,
        type: 'one-time-authorization',
        tokenProviderId: provider.id,
        clientId,
        clientCredentials: { type: 'secret', clientSecret },
        loginHintAttribute: 'email',
        bindingMessage: 'Pay {{amount}}',
        deliveryMode,
        onInitiationUnknown,
        releaseAccessToken,
        consumeWithinSeconds: name === 'Brief' ? briefConsumeSeconds : consumeWithinSeconds,
      }),
    );
  }
  const apiClients = [];
  for (const name of ['shop', 'bank', 'agent']) {
    apiClients.push(
      await assent.create<ApiClient & { id: string; callbackSecret: string | null }>('api-clients', {
        name,
        scopes: ['requests:write', 'requests:read'],
        callbackSecret: name === 'bank',
      }),
    );
  }
  const all = await assent.create<Created>('webhook-endpoints', { url: `${sinkUrls[0]}/all` });
  const some = await assent.create<Created>('webhook-endpoints', {
    url: `${sinkUrls[1]}/some`,
    events: ['decision.approved', 'decision.denied', 'decision.failed'],
  });
  const webhookEndpoints = [all, some].map(({ id, url, secret, events }) => ({ id, url, secrets: [secret], events }));
  return { rules, apiClients, webhookEndpoints };
}

interface Created {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly events: readonly string[];
}
