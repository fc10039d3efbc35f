/** A job a request; while the person has not answered, the job moves itself into the future (`moveToDelayed`). */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { DelayedError, Queue, Worker } from 'bullmq';
import { grantRequest } from './grant.mjs';
import { serve } from './serve.mjs';

const name = 'polls';
let config;
let connection;
let isPending;

async function start(given) {
  config = given;
  connection = { host: '127.0.0.1', port: given.redisPort, maxRetriesPerRequest: null };
  const queue = new Queue(name, { connection });
  const jobs = Array.from({ length: given.requests }, () => ({ name: 'poll', data: { authReqId: randomUUID() } }));
  for (let at = 0; at < jobs.length; at += 1000) await queue.addBulk(jobs.slice(at, at + 1000));
  isPending = grantRequest(given.issuer);
}

/** Polls for so many seconds; answers how often. */
async function poll(seconds) {
  let polls = 0;
  let failed = null;
  const work = async (job, token) => {
    if (!(await isPending(job.data.authReqId))) failed = new Error('a request is not pending');
    polls++;
    await job.moveToDelayed(Date.now() + config.intervalSeconds * 1000, token);
    throw new DelayedError();
  };
  const worker = new Worker(name, work, { connection, concurrency: config.inFlight });
  worker.on('error', (error) => (failed ??= error));
  await pause(seconds * 1000);
  const made = polls;
  await worker.close();
  if (failed) throw failed;
  return made;
}

serve({ start, poll });
