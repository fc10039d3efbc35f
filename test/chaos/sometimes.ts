import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

type Line = Readonly<Record<string, unknown>>;

/** How often a run has taken the rare paths, counted from what it left behind; zero means that it proves nothing there. */
export async function countSometimes(folder: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {
    'lease-stolen': 0,
    'fenced-out-commit': 0,
    'commit-reply-lost-resolved': 0,
    'confirm-lost-duplicate': 0,
    'basic-return': 0,
    'blocked-connection': 0,
    'late-approval-after-cancel': 0,
    'outcome-unknown': 0,
    'initiation-unknown': 0,
    'slow-down-3': 0,
    'duplicate-ping': 0,
    'retry-after-429': 0,
    'key-rotation-mid-flight': 0,
    'dead-letter-redriven': 0,
  };
  const add = (name: string, by = 1): void => void (counts[name] = (counts[name] ?? 0) + by);

  for await (const shard of lines(folder, 'database/poller_shards.jsonl')) {
    if (shard['unclean_takeover_at'] !== null) add('lease-stolen');
  }
  for await (const row of lines(folder, 'database/authorization_requests.jsonl')) {
    if (row['reason'] === 'outcome_unknown') add('outcome-unknown');
    if (row['reason'] === 'initiation_unknown') add('initiation-unknown');
    if (row['status'] === 'cancelled' && row['late_evidence'] !== null) add('late-approval-after-cancel');
  }
  await ofProvider(folder, add);
  for await (const delivery of lines(folder, 'webhooks.jsonl'))
    if (delivery['answered'] === 429) add('retry-after-429');
  for await (const fault of lines(folder, 'faults.jsonl')) {
    if (fault['kind'] === 'drop-commit-reply' && (fault['detail'] as Line)['happened'] === true) {
      add('commit-reply-lost-resolved');
    }
    if (fault['kind'] === 'dead-letter') add('dead-letter-redriven', Number((fault['detail'] as Line)['redriven']));
    if (fault['kind'] === 'provider-key-rotation') add('key-rotation-mid-flight');
  }
  const seen = new Map<string, number>();
  for await (const { messageId } of lines(folder, 'amqp.jsonl')) {
    seen.set(String(messageId), (seen.get(String(messageId)) ?? 0) + 1);
  }
  add('confirm-lost-duplicate', [...seen.values()].filter((times) => times > 1).length);
  for (const log of await readdir(join(folder, 'logs'))) {
    for await (const line of text(folder, join('logs', log))) {
      if (line.includes('no queue takes them')) add('basic-return');
      if (line.includes('the broker takes no messages')) add('blocked-connection');
      if (line.includes('fenced out')) add('fenced-out-commit');
    }
  }
  return counts;
}

async function ofProvider(folder: string, add: (name: string) => void): Promise<void> {
  const slowDowns = new Map<string, number>();
  const pings = new Map<string, number>();
  for await (const { kind, said, error, authReqId } of lines(folder, 'provider.jsonl')) {
    const id = String(authReqId);
    if (said === 'slow_down') slowDowns.set(id, (slowDowns.get(id) ?? 0) + 1);
    if (kind === 'ping-sent') pings.set(id, (pings.get(id) ?? 0) + 1);
    if (error === '429') add('retry-after-429');
  }
  for (const times of slowDowns.values()) if (times >= 3) add('slow-down-3');
  for (const times of pings.values()) if (times > 1) add('duplicate-ping');
}

async function* lines(folder: string, name: string): AsyncGenerator<Line> {
  for await (const line of text(folder, name)) if (line !== '') yield JSON.parse(line) as Line;
}

const text = (folder: string, name: string): AsyncIterable<string> =>
  createInterface({ input: createReadStream(join(folder, name)), crlfDelay: Infinity });
