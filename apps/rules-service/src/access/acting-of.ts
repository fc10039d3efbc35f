import { bootstrapClientId } from '#lib/contracts';
import type { Acting } from '#lib/persistence';
import type { FastifyReply } from 'fastify';
import { callerOf } from './caller.js';

/** On whose behalf a call changes something, as the audit log names them. */
export function actingOf({ request }: FastifyReply): Acting {
  const { id, user } = callerOf(request);
  if (user !== undefined) return { actor: { type: 'user', ...user }, requestId: request.id };
  return { actor: { type: id === bootstrapClientId ? 'bootstrap-key' : 'api-client', id }, requestId: request.id };
}
