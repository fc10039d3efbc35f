/** A job of BullMQ for each start: openid-client asks the provider, a row is updated, the next job is added. */
import { randomUUID } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import * as openid from 'openid-client';
import pg from 'pg';
import { serve } from './serve.mjs';

const table = `
  create table requests (id uuid primary key, status text not null default 'requested', attributes jsonb not null,
    auth_req_id text, interval_seconds integer)`;
const jobs = { removeOnComplete: true, removeOnFail: 1000 };

let pool;
let connection;
let client;
let queues;

async function start({ databaseUrl, redisPort, issuer }) {
  pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  await pool.query(table);
  connection = { host: '127.0.0.1', port: redisPort, maxRetriesPerRequest: null };
  queues = { start: new Queue('starts', { connection }), poll: new Queue('started-polls', { connection }) };
  const server = {
    issuer,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    backchannel_authentication_endpoint: `${issuer}/backchannel`,
  };
  client = new openid.Configuration(server, 'bench-client', undefined, openid.ClientSecretBasic('a secret'));
  openid.allowInsecureRequests(client);
}

async function fill(count) {
  await pool.query('truncate requests');
  await queues.poll.obliterate({ force: true });
  const ids = Array.from({ length: count }, () => randomUUID());
  const text = `insert into requests (id, attributes)
    select id, json_build_object('email', id || '@example.com', 'amount', '25.00 EUR', 'payee', 'Shop') from unnest($1::uuid[]) id`;
  await pool.query(text, [ids]);
  for (let at = 0; at < count; at += 1000) {
    await queues.start.addBulk(ids.slice(at, at + 1000).map((id) => ({ name: 'start', data: { id }, opts: jobs })));
  }
}

/** Starts all that waits; answers how many are pending then. */
async function run(count) {
  let left = count;
  let failed = null;
  await new Promise((resolve) => {
    const worker = new Worker('starts', startOne, { connection, concurrency: 64 });
    const settled = () => --left === 0 && resolve(worker.close());
    worker.on('completed', settled);
    worker.on('failed', (_job, error) => ((failed ??= error), settled()));
    worker.on('error', () => undefined);
  });
  if (failed) throw failed;
  const { rows } = await pool.query(`select count(*)::integer as number from requests where status = 'pending'`);
  return rows[0].number;
}

async function startOne({ data: { id } }) {
  const found = await pool.query({ name: 'find', text: 'select attributes from requests where id = $1', values: [id] });
  const { email, amount, payee } = found.rows[0].attributes;
  const parameters = { scope: 'openid', login_hint: email, binding_message: `Pay ${amount} to ${payee}` };
  const { auth_req_id, interval = 5 } = await openid.initiateBackchannelAuthentication(client, parameters);
  const text = `update requests set status = 'pending', auth_req_id = $2, interval_seconds = $3 where id = $1 and status = 'requested'`;
  await pool.query({ name: 'pending', text, values: [id, auth_req_id, interval] });
  await queues.poll.add('poll', { id, authReqId: auth_req_id, interval }, { ...jobs, delay: interval * 1000 });
}

serve({ start, fill, run });
