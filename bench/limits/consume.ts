import Fastify from 'fastify';
import pg from 'pg';
import { serve } from '../harness/serve.js';

/** A service that does nothing but compare and set, on Assent's own tables. */
export interface ConsumeLimit {
  readonly databaseUrl: string;
  readonly clientId: string;
  readonly key: string;
}

const compareAndSet = /* sql */ `
  with used as (
    update authorization_requests set consumed_at = clock_timestamp(), consumed_by = $2, state_version = state_version + 1
    where id = $1::uuid and api_client_id = $2::uuid and status = 'approved' and consumed_at is null
      and consume_by > clock_timestamp()
    returning id, decision_id, consumed_at
  ), told as (
    insert into request_timeline (request_id, at, type, detail) select id, consumed_at, 'consumed', '{}' from used
  )
  select used.consumed_at, d.document from used join decisions d on d.id = used.decision_id`;

async function start({ databaseUrl, clientId, key }: ConsumeLimit): Promise<number> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  const server = Fastify({ logger: false });
  server.post<{ Params: { id: string } }>('/v1/authorization-requests/:id/consume', async (request, reply) => {
    if (request.headers.authorization !== `Bearer ${key}`) return reply.status(401).send();
    const values = [request.params.id, clientId];
    const { rows } = await pool.query<{ consumed_at: Date; document: object }>({
      name: 'consume',
      text: compareAndSet,
      values,
    });
    const [used] = rows;
    if (used === undefined) return reply.status(409).send({ code: 'already_consumed' });
    return { decision: used.document, consumedAt: used.consumed_at.toISOString(), accessToken: null };
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  return (server.server.address() as { port: number }).port;
}

serve({ start });
