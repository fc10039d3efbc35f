/** Fastify, and a job of pg-boss in the transaction of the request, as its documentation shows it (the `db` option). */
import { randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import pg from 'pg';
import PgBoss from 'pg-boss';
import { insertRequest, requestsTable, schema } from './request-schema.mjs';
import { serve } from './serve.mjs';

const clientId = randomUUID();
const queue = 'requested';

async function start({ databaseUrl, key }) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  await pool.query(requestsTable);
  const boss = new PgBoss({ connectionString: databaseUrl, max: 2, supervise: false, schedule: false });
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue(queue);
  const server = Fastify({ logger: false });
  server.post('/v1/authorization-requests', { schema }, async (request, reply) => {
    if (request.headers.authorization !== `Bearer ${key}`) return reply.status(401).send();
    const { rule, attributes } = request.body;
    const id = randomUUID();
    const client = await pool.connect();
    try {
      await client.query('begin');
      const values = [id, clientId, request.headers['idempotency-key'], rule, JSON.stringify(attributes)];
      await client.query({ ...insertRequest, values });
      const db = { executeSql: (text, parameters) => client.query(text, parameters) };
      await boss.send(queue, { requestId: id }, { db });
      await client.query('commit');
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
    return reply.status(202).send({ id, status: 'requested', createdAt: new Date() });
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  return server.server.address().port;
}

serve({ start });
