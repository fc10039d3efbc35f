import type { AuditEvent } from '#lib/contracts';

const places: Readonly<Record<string, string>> = {
  rule: '/access/rules/',
  'rejection-handler': '/access/rejection-handlers/',
  'token-provider': '/settings/token-providers/',
  'key-pair': '/security/key-pairs/',
  'webhook-endpoint': '/settings/webhooks/',
  'authorization-request': '/transactions/',
};

/** The page of what an event is about; null: it has none. What was deleted since says so itself. */
export function placeOf({ type, id }: AuditEvent['resource']): string | null {
  const place = places[type];
  return place === undefined || id === null ? null : place + encodeURIComponent(id);
}
