import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyRequest } from 'fastify';
import pg from 'pg';
import { v7 as uuid } from 'uuid';
import { serve } from '../harness/serve.js';

/** How the least that an acceptance can be is done. */
export interface IngestLimit {
  readonly databaseUrl: string | null;
  /** `single`: one statement for each call, ten connections; `batched`: whatever has come meanwhile shares a statement. */
  readonly mode: 'single' | 'batched' | 'none';
  readonly key: string;
}

interface Body {
  readonly rule: string;
  readonly attributes: Record<string, string>;
}

const schema = {
  body: {
    type: 'object',
    required: ['rule', 'attributes'],
    additionalProperties: false,
    properties: {
      rule: { type: 'string', maxLength: 64 },
      attributes: { type: 'object', additionalProperties: { type: 'string', maxLength: 4096 } },
    },
  },
} as const;

/** Tables with the columns, checks and indexes of Assent's, without its triggers. */
const tables = /* sql */ `
  create table bench_requests (like authorization_requests including all);
  create table bench_timeline (like request_timeline including all);
  create table bench_outbox (like outbox including all)`;

/** The rows of any number of requests in one commit: request, first entry of the timeline, event. */
const insert = /* sql */ `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      id uuid, shard smallint, api_client_id uuid, idempotency_key text, body_hash bytea, rule_id uuid, rule_name text,
      token_provider_id uuid, attributes bytea, login_hint bytea, request_hash text, event_id uuid, subject_key bytea)
  ), inserted as (
    insert into bench_requests (id, shard, api_client_id, idempotency_key, body_hash, rule_id, rule_version, rule_name,
      token_provider_id, attributes, login_hint, metadata, request_hash, subject_key)
    select id, shard, api_client_id, idempotency_key, body_hash, rule_id, 1, rule_name, token_provider_id, attributes,
      login_hint, '{}', request_hash, subject_key
    from input order by api_client_id, idempotency_key
    on conflict (api_client_id, idempotency_key) do nothing
    returning id, created_at
  ), told as (
    insert into bench_timeline (request_id, at, type, detail)
    select id, created_at, 'requested', '{"rule":"Approve a payment","version":1}' from inserted
  )
  insert into bench_outbox (id, exchange, routing_key, event)
  select input.event_id, 'assent.authorizations', 'authorization.requested', json_build_object(
    'specversion', '1.0', 'id', input.event_id, 'source', '/assent/bench', 'type', 'assent.authorization.requested.v1',
    'subject', inserted.id, 'time', inserted.created_at, 'datacontenttype', 'application/json',
    'data', json_build_object('authorizationRequestId', inserted.id, 'status', 'requested'))
  from inserted join input using (id)
  returning event->>'subject' as id`;

const someBytes = `\\x${'5a'.repeat(32)}`;
const hex = (text: string): string => `\\x${Buffer.from(text).toString('hex')}`;
const clientId = randomUUID();
const ruleId = randomUUID();

type Row = ReturnType<typeof rowOf>;

function rowOf(request: FastifyRequest<{ Body: Body }>) {
  const { rule, attributes } = request.body;
  const id = uuid();
  return {
    id,
    shard: 0,
    api_client_id: clientId,
    idempotency_key: String(request.headers['idempotency-key']),
    body_hash: someBytes,
    rule_id: ruleId,
    rule_name: rule,
    token_provider_id: ruleId,
    attributes: hex(JSON.stringify(attributes)),
    login_hint: hex(attributes['email'] ?? ''),
    request_hash: 'hash',
    event_id: uuid(),
    subject_key: hex(id),
  };
}

/** Two lanes, each with one statement at a time. */
function batched(pool: pg.Pool): (row: Row) => Promise<unknown> {
  const waiting: { row: Row; resolve: (value: unknown) => void; reject: (error: unknown) => void }[] = [];
  let busy = 0;
  const work = async () => {
    busy++;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, 256);
      try {
        await pool.query({ name: 'insert', text: insert, values: [JSON.stringify(batch.map(({ row }) => row))] });
        for (const { resolve } of batch) resolve(null);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    busy--;
  };
  return (row) =>
    new Promise((resolve, reject) => {
      waiting.push({ row, resolve, reject });
      if (busy < 2) setImmediate(() => (busy < 2 && waiting.length > 0 ? void work() : undefined));
    });
}

async function start({ databaseUrl, mode, key }: IngestLimit): Promise<number> {
  const server = Fastify({ logger: false });
  let store: (row: Row) => Promise<unknown> = async () => null;
  if (databaseUrl !== null) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
    await pool.query(tables);
    store =
      mode === 'batched'
        ? batched(pool)
        : (row) => pool.query({ name: 'insert', text: insert, values: [JSON.stringify([row])] });
  }
  server.post<{ Body: Body }>('/v1/authorization-requests', { schema }, async (request, reply) => {
    if (request.headers.authorization !== `Bearer ${key}`) return reply.status(401).send();
    const row = rowOf(request);
    await store(row);
    return reply
      .status(202)
      .header('location', `/v1/authorization-requests/${row.id}`)
      .send({ id: row.id, status: 'requested', createdAt: new Date().toISOString() });
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  return (server.server.address() as { port: number }).port;
}

serve({ start });
