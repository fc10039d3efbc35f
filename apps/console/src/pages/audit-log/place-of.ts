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

const nouns: Readonly<Record<string, string>> = { 'authorization-request': 'Transaction' };

/** What an event is about is called; what has no name, by what it is and the end of its id. */
export function nameOf({ type, id, name }: AuditEvent['resource']): string {
  if (name !== null) return name;
  const noun = nouns[type] ?? type.charAt(0).toUpperCase() + type.slice(1).replaceAll('-', ' ');
  return id === null ? noun : `${noun} ${id.slice(-6)}`;
}
