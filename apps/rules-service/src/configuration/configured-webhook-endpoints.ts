import type { ConfiguredWebhookEndpoint } from '#lib/contracts';
import { changesBetween } from '#lib/domain';
import type { WebhookEndpointRow, WebhookEndpointValue } from '#lib/persistence';
import { newWebhookSecret } from '../access/api-key.js';
import { refuseAddress } from '../http/refuse-address.js';
import { asJson, secretChange, settled, type PlannedChange, type Planning } from './step.js';

/**
 * What makes a webhook endpoint what the configuration says. A new one without a secret gets one, which is shown once.
 *
 * @throws ProblemError `callback_url_refused`
 */
export async function planWebhookEndpoint(
  { secret: given, ...body }: ConfiguredWebhookEndpoint,
  row: WebhookEndpointRow | null,
  { database: { webhookEndpoints }, guard }: Planning,
): Promise<PlannedChange> {
  refuseAddress(guard, body.url, '/url');
  const value = { ...body, events: [...new Set(body.events)] };
  const changes = changesBetween(row && viewOf(row), viewOf(value));
  if (row === null) {
    const secret = given ?? newWebhookSecret();
    return {
      changes: [...changes, secretChange('/secret', false)],
      run: async ({ acting, secrets }) => {
        const { id } = settled(await webhookEndpoints.create({ ...value, secret }, acting), 'webhook endpoint');
        if (given === undefined) {
          secrets.push({ kind: 'webhook-endpoint', name: body.name, member: 'secret', value: secret });
        }
        return id;
      },
    };
  }
  const secret = given !== undefined && !(await webhookEndpoints.isSecret(row.id, given)) ? given : null;
  return {
    changes: secret === null ? changes : [...changes, secretChange('/secret', true)],
    run: async ({ acting }) =>
      settled(await webhookEndpoints.update(row.id, row.version, { ...value, secret }, acting), 'webhook endpoint').id,
  };
}

/** As a configuration shows it, but for its name where it has none. */
export const webhookEndpointBodyOf = ({ name, url, events, description, enabled }: WebhookEndpointValue) => ({
  name: name ?? null,
  url,
  events: [...events],
  description,
  enabled,
});

// In which order events are named means nothing.
const viewOf = (value: WebhookEndpointValue): unknown =>
  asJson({ ...webhookEndpointBodyOf(value), events: [...value.events].sort() });

/** How an endpoint without a name is spoken of: its address may hold a credential, so only by its host. */
export const nameOfEndpoint = ({ name, url }: Pick<WebhookEndpointRow, 'name' | 'url'>): string =>
  name ?? new URL(url).host.slice(0, 64);
