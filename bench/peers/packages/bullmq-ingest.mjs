/** Fastify, a row, and then a job of BullMQ. Not one transaction: a crash in between loses the job, which is the usual way. */
import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import Fastify from 'fastify';
import pg from 'pg';
import { insertRequest, requestsTable, schema } from './request-schema.mjs';
import { serve } from './serve.mjs';

const clientId = randomUUID();

async function start({ databaseUrl, key, redisPort }) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  await pool.query(requestsTable);
  const queue = new Queue('requested', { connection: { host: '127.0.0.1', port: redisPort } });
  const server = Fastify({ logger: false });
  server.post('/v1/authorization-requests', { schema }, async (request, reply) => {
    if (request.headers.authorization !== `Bearer ${key}`) return reply.status(401).send();
    const { rule, attributes } = request.body;
    const id = randomUUID();
    const values = [id, clientId, request.headers['idempotency-key'], rule, JSON.stringify(attributes)];
    await pool.query({ ...insertRequest, values });
    await queue.add('start', { requestId: id });
    return reply.status(202).send({ id, status: 'requested', createdAt: new Date() });
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  return server.server.address().port;
}

serve({ start });
