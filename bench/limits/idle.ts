import { randomUUID } from 'node:crypto';
import { connect, type ConfirmChannel } from 'amqplib';
import Fastify from 'fastify';
import pg from 'pg';
import { Pool } from 'undici';
import { serve } from '../harness/serve.js';

/** The hops of one request, bare: a commit, a confirmed message, a call, and what follows, with nothing in between. */
export interface IdleLimit {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly issuer: string;
  readonly callbackUrl: string;
}

const table =
  'create table hops (id bigint generated always as identity primary key, what text not null, document json)';

let database: pg.Pool;
let publisher: ConfirmChannel;

const commit = async (what: string, document: object): Promise<void> => {
  const text = 'insert into hops (what, document) values ($1, $2)';
  await database.query({ name: 'hop', text, values: [what, JSON.stringify(document)] });
};

/** Resolves at once: nobody waits for the confirmation before going on, neither does Assent. */
const publish = (queue: string, message: object): void => {
  publisher.sendToQueue(queue, Buffer.from(JSON.stringify(message)), { persistent: true });
};

async function start({ databaseUrl, amqpUrl, issuer, callbackUrl }: IdleLimit): Promise<number> {
  database = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  await database.query(table);
  const connection = await connect(amqpUrl, { noDelay: true });
  publisher = await connection.createConfirmChannel();
  const consumer = await connection.createChannel();
  const consume = async (queue: string, work: (message: { hint: string; id: string }) => Promise<void>) => {
    await consumer.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await consumer.consume(queue, (message) => {
      if (message === null) return;
      const content = JSON.parse(message.content.toString()) as { hint: string; id: string };
      void work(content).then(() => consumer.ack(message));
    });
  };
  const provider = new Pool(issuer);
  const receiver = new Pool(new URL(callbackUrl).origin);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  // Two commits around the call, as whoever writes its attempt ahead has them.
  await consume('hop.start', async ({ hint, id }) => {
    await commit('attempt', { id });
    const body = new URLSearchParams({ login_hint: hint, scope: 'openid' }).toString();
    const answer = await provider.request({ path: '/backchannel', method: 'POST', headers, body });
    await commit('pending', (await answer.body.json()) as object);
  });
  await consume('hop.poll', async ({ id }) => {
    const answer = await provider.request({ path: '/token', method: 'POST', headers, body: `auth_req_id=${id}` });
    await commit('approved', (await answer.body.json()) as object);
    publish('hop.decide', { id });
  });
  await consume('hop.decide', async ({ id }) => {
    const decision = { data: { authorizationRequestId: id } };
    await commit('decision', decision);
    const json = { 'content-type': 'application/json' };
    const answer = await receiver.request({ path: '/', method: 'POST', headers: json, body: JSON.stringify(decision) });
    await answer.body.dump();
  });
  const server = Fastify({ logger: false });
  server.post<{ Body: { hint: string } }>('/requests', async (request, reply) => {
    const id = randomUUID();
    await commit('request', request.body);
    publish('hop.start', { hint: request.body.hint, id });
    return reply.status(202).send({ id });
  });
  server.post<{ Body: { id: string } }>('/ping', async (request, reply) => {
    await commit('ping', request.body);
    publish('hop.poll', { id: request.body.id });
    return reply.status(204).send();
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  return (server.server.address() as { port: number }).port;
}

serve({ start });
