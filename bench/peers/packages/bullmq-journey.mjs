/**
 * The whole of it as it is usually built: Fastify and a row; three workers of BullMQ that start, poll and call back; and
 * openid-client for what goes to the provider.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { DelayedError, Queue, Worker } from 'bullmq';
import Fastify from 'fastify';
import * as openid from 'openid-client';
import pg from 'pg';
import { Agent, request as send } from 'undici';
import { serve } from './serve.mjs';

const clientId = randomUUID();
const secret = 'a secret of the benchmark';
const concurrency = 64;
const tables = `
  create table requests (
    id uuid primary key, client_id uuid not null, idempotency_key text not null, rule text not null,
    attributes jsonb not null, callback_url text not null, status text not null, auth_req_id text, interval_seconds integer,
    subject text, created_at timestamptz not null default now(), unique (client_id, idempotency_key));
  create table deliveries (id uuid primary key, request_id uuid not null, document json not null, delivered_at timestamptz)`;

const schema = {
  body: {
    type: 'object',
    required: ['rule', 'attributes', 'callbackUrl'],
    additionalProperties: false,
    properties: {
      rule: { type: 'string', maxLength: 64 },
      attributes: { type: 'object', additionalProperties: { type: 'string', maxLength: 4096 } },
      callbackUrl: { type: 'string', maxLength: 2048 },
    },
  },
};

async function start({ databaseUrl, redisPort, issuer, key }) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  await pool.query(tables);
  const query = (name, text, values) => pool.query({ name, text, values });
  const server = {
    issuer,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    backchannel_authentication_endpoint: `${issuer}/backchannel`,
    id_token_signing_alg_values_supported: ['ES256'],
  };
  const metadata = { id_token_signed_response_alg: 'ES256' };
  const client = new openid.Configuration(server, 'bench-client', metadata, openid.ClientSecretBasic(secret));
  openid.allowInsecureRequests(client);
  // Otherwise it believes the ID token because it came over TLS; here it checks the signature, as Assent does.
  openid.enableNonRepudiationChecks(client);
  const connection = { host: '127.0.0.1', port: redisPort, maxRetriesPerRequest: null };
  const jobs = { removeOnComplete: true, removeOnFail: 1000 };
  const queues = Object.fromEntries(
    ['start', 'poll', 'callback'].map((name) => [name, new Queue(name, { connection })]),
  );
  const add = (name, data, options = {}) => queues[name].add(name, data, { ...jobs, ...options });
  const agent = new Agent({ connections: 64 });
  const work = (name, handle) => new Worker(name, handle, { connection, concurrency }).on('error', () => undefined);

  work('start', async ({ data: { id } }) => {
    const { rows } = await query('find', 'select attributes from requests where id = $1', [id]);
    const { email, amount, payee } = rows[0].attributes;
    const parameters = { scope: 'openid', login_hint: email, binding_message: `Pay ${amount} to ${payee}` };
    const { auth_req_id, interval = 5 } = await openid.initiateBackchannelAuthentication(client, parameters);
    const text = `update requests set status = 'pending', auth_req_id = $2, interval_seconds = $3 where id = $1 and status = 'requested'`;
    await query('pending', text, [id, auth_req_id, interval]);
    await add('poll', { id, authReqId: auth_req_id, interval }, { delay: interval * 1000 });
  });

  work('poll', async (job, token) => {
    const { id, authReqId, interval } = job.data;
    try {
      const tokens = await openid.genericGrantRequest(client, 'urn:openid:params:grant-type:ciba', {
        auth_req_id: authReqId,
      });
      const document = { id: randomUUID(), authorizationRequestId: id, outcome: 'approved', decidedAt: new Date() };
      const text = `
        with approved as (
          update requests set status = 'approved', subject = $2 where id = $1 and status = 'pending' returning id)
        insert into deliveries (id, request_id, document) select $3, id, $4 from approved`;
      await query('approved', text, [id, tokens.claims().sub, document.id, JSON.stringify(document)]);
      await add('callback', { deliveryId: document.id });
    } catch (error) {
      if (!(error instanceof openid.ResponseBodyError) || error.error !== 'authorization_pending') throw error;
      await job.moveToDelayed(Date.now() + interval * 1000, token);
      throw new DelayedError();
    }
  });

  work('callback', async ({ data: { deliveryId } }) => {
    const text = `select r.callback_url, d.document::text from deliveries d join requests r on r.id = d.request_id where d.id = $1`;
    const { rows } = await query('delivery', text, [deliveryId]);
    const { callback_url: url, document } = rows[0];
    const body = `{"type":"decision.approved","timestamp":"${new Date().toISOString()}","data":${document}}`;
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = createHmac('sha256', secret).update(`${deliveryId}.${timestamp}.${body}`).digest('base64');
    const headers = {
      'content-type': 'application/json',
      'webhook-id': deliveryId,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    };
    const answer = await send(url, { method: 'POST', dispatcher: agent, headers, body });
    await answer.body.dump();
    await query('delivered', 'update deliveries set delivered_at = now() where id = $1', [deliveryId]);
  });

  const http = Fastify({ logger: false });
  http.post('/v1/authorization-requests', { schema }, async (request, reply) => {
    if (request.headers.authorization !== `Bearer ${key}`) return reply.status(401).send();
    const { rule, attributes, callbackUrl } = request.body;
    const id = randomUUID();
    const values = [id, clientId, request.headers['idempotency-key'], rule, JSON.stringify(attributes), callbackUrl];
    const text = `
      insert into requests (id, client_id, idempotency_key, rule, attributes, callback_url, status)
      values ($1, $2, $3, $4, $5, $6, 'requested')`;
    await query('insert', text, values);
    await add('start', { id });
    return reply.status(202).send({ id, status: 'requested', createdAt: new Date() });
  });
  await http.listen({ port: 0, host: '127.0.0.1' });
  return http.server.address().port;
}

serve({ start });
