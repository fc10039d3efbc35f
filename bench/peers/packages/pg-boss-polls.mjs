/** A job a poll: a batch is fetched, polled side by side, completed, and the next polls are inserted as one batch. */
import { randomUUID } from 'node:crypto';
import PgBoss from 'pg-boss';
import { grantRequest } from './grant.mjs';
import { serve } from './serve.mjs';

const queue = 'polls';
const batchSize = 500;
let boss;
let isPending;
let config;

async function start(given) {
  config = given;
  boss = new PgBoss({ connectionString: given.databaseUrl, max: 4, supervise: false, schedule: false });
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue(queue);
  isPending = grantRequest(given.issuer);
  const jobs = Array.from({ length: given.requests }, () => ({ name: queue, data: { authReqId: randomUUID() } }));
  for (let at = 0; at < jobs.length; at += 1000) await boss.insert(jobs.slice(at, at + 1000));
}

/** Polls for so many seconds with two batches under way; answers how often. */
async function poll(seconds) {
  const endAt = performance.now() + seconds * 1000;
  let polls = 0;
  const places = Math.ceil(config.inFlight / 2);
  const worker = async () => {
    while (performance.now() < endAt) {
      const jobs = await boss.fetch(queue, { batchSize });
      if (jobs.length === 0) continue;
      const left = [...jobs];
      const place = async () => {
        for (let job = left.pop(); job !== undefined; job = left.pop()) {
          if (!(await isPending(job.data.authReqId))) throw new Error('a request is not pending');
          polls++;
        }
      };
      await Promise.all(Array.from({ length: places }, place));
      const startAfter = new Date(Date.now() + config.intervalSeconds * 1000);
      await boss.insert(jobs.map(({ data }) => ({ name: queue, data, startAfter })));
      await boss.complete(
        queue,
        jobs.map(({ id }) => id),
      );
    }
  };
  await Promise.all([worker(), worker()]);
  return polls;
}

serve({ start, poll });
