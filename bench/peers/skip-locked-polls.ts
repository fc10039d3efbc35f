import { randomUUID } from 'node:crypto';
import * as openid from 'openid-client';
import pg from 'pg';
import { Pool } from 'undici';
import { serve } from '../harness/serve.js';

/** A poller that keeps its schedule in a table, and claims what is due with SKIP LOCKED. */
export interface SkipLockedPolls {
  readonly databaseUrl: string;
  readonly issuer: string;
  readonly inFlight: number;
  readonly requests: number;
  readonly intervalSeconds: number;
  /** `openid-client`: the library's grant request; `undici`: an HTTP client of our kind. */
  readonly client: 'openid-client' | 'undici';
}

const table = /* sql */ `
  create table polls (id uuid primary key, auth_req_id text not null, state text not null default 'pending',
    next_poll_at timestamptz not null) with (fillfactor = 70);
  create index polls_due on polls (next_poll_at) where state = 'pending'`;
const claim = /* sql */ `
  update polls set next_poll_at = clock_timestamp() + make_interval(secs => $2)
  where id = any(array(
    select id from polls where state = 'pending' and next_poll_at <= clock_timestamp()
    order by next_poll_at limit $1 for update skip locked))
  returning id, auth_req_id`;

type Ask = (authReqId: string) => Promise<boolean>;

let config: SkipLockedPolls;
let database: pg.Pool;
let isPending: Ask;

async function start(given: SkipLockedPolls): Promise<void> {
  config = given;
  database = new pg.Pool({ connectionString: given.databaseUrl, max: 4 });
  await database.query(table);
  const ids = Array.from({ length: given.requests }, () => randomUUID());
  await database.query(
    `insert into polls (id, auth_req_id, next_poll_at) select id, id::text, clock_timestamp() from unnest($1::uuid[]) id`,
    [ids],
  );
  await database.query('vacuum analyze polls');
  isPending = given.client === 'undici' ? byUndici(given) : byOpenidClient(given);
}

function byUndici({ issuer, inFlight }: SkipLockedPolls): Ask {
  const pool = new Pool(issuer, { connections: inFlight, pipelining: 1 });
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Basic ${Buffer.from('bench-client:a+secret').toString('base64')}`,
  };
  return async (authReqId) => {
    const body = `grant_type=urn%3Aopenid%3Aparams%3Agrant-type%3Aciba&auth_req_id=${authReqId}`;
    const answer = await pool.request({ path: '/token', method: 'POST', headers, body });
    const { error } = (await answer.body.json()) as { error?: string };
    return error === 'authorization_pending';
  };
}

function byOpenidClient({ issuer }: SkipLockedPolls): Ask {
  const server = { issuer, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` };
  const authentication = openid.ClientSecretBasic('a secret');
  const client = new openid.Configuration(server, 'bench-client', undefined, authentication);
  openid.allowInsecureRequests(client);
  return async (authReqId) => {
    try {
      await openid.genericGrantRequest(client, 'urn:openid:params:grant-type:ciba', { auth_req_id: authReqId });
      return false;
    } catch (error) {
      if (error instanceof openid.ResponseBodyError) return error.error === 'authorization_pending';
      throw error;
    }
  };
}

/** Has all of them due within the next interval, evenly. */
async function spread(): Promise<void> {
  const text = 'update polls set next_poll_at = clock_timestamp() + random() * make_interval(secs => $1)';
  await database.query(text, [config.intervalSeconds]);
  await database.query('vacuum analyze polls');
}

/** Polls for so many seconds; answers how often. */
async function poll(seconds: number): Promise<number> {
  const endAt = performance.now() + seconds * 1000;
  let polls = 0;
  let due: { auth_req_id: string }[] = [];
  let claiming: Promise<void> | null = null;
  const next = async (): Promise<string | null> => {
    while (performance.now() < endAt) {
      const row = due.pop();
      // The next batch is claimed before this one has run out.
      if (due.length < 250) claiming ??= claimMore();
      if (row !== undefined) return row.auth_req_id;
      await claiming;
    }
    return null;
  };
  const claimMore = async (): Promise<void> => {
    const { rows } = await database.query<{ auth_req_id: string }>({
      name: 'claim',
      text: claim,
      values: [500, config.intervalSeconds],
    });
    due = [...due, ...rows];
    if (rows.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    claiming = null;
  };
  const worker = async () => {
    for (let id = await next(); id !== null; id = await next()) {
      if (!(await isPending(id))) throw new Error('a request is not pending');
      polls++;
    }
  };
  await Promise.all(Array.from({ length: config.inFlight }, worker));
  return polls;
}

serve({ start, spread, poll });
