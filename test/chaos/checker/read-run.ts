/** Reads the folder that a run left. */

import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { neededTables } from './history.js';
import type {
  AmqpLine,
  Artefact,
  ClientLine,
  FaultLine,
  ProviderLine,
  RecordedRun,
  RecoveryLine,
  Row,
  RunFacts,
  WebhookLine,
} from './history-lines.js';

/** The folder is not what a run leaves. */
export class UnreadableRun extends Error {
  override readonly name = 'UnreadableRun';
}

const pieceBytes = 4_194_304;

/** @throws UnreadableRun naming the file and the line. */
export function readRun(folder: string): RecordedRun {
  const clients = lines<ClientLine>(folder, 'clients.jsonl');
  const database = Object.fromEntries(
    listed(folder, 'database').map((file) => [file.replace(/\.jsonl$/, ''), lines<Row>(folder, `database/${file}`)]),
  );
  const missing = neededTables.filter((name) => database[name] === undefined);
  if (missing.length > 0) throw new UnreadableRun(`database/${missing[0]}.jsonl is missing`);
  const logs = listed(folder, 'logs');
  if (logs.length === 0) throw new UnreadableRun('logs/ is empty: what the services wrote is part of what is judged');
  const scanned = [
    'webhooks.jsonl',
    'amqp.jsonl',
    ...listed(folder, 'database').map((file) => `database/${file}`),
    ...logs.map((file) => `logs/${file}`),
  ];
  return {
    run: json(folder, 'run.json') as RunFacts,
    clients,
    provider: lines<ProviderLine>(folder, 'provider.jsonl'),
    webhooks: lines<WebhookLine>(folder, 'webhooks.jsonl'),
    amqp: lines<AmqpLine>(folder, 'amqp.jsonl'),
    faults: lines<FaultLine>(folder, 'faults.jsonl'),
    recovery: lines<RecoveryLine>(folder, 'recovery.jsonl'),
    sometimes: json(folder, 'sometimes.json') as Record<string, number>,
    database,
    artefacts: [...scanned.map((name) => fileArtefact(folder, name)), answersOf(clients)],
  };
}

/** What clients were answered; what they sent themselves may hold what must not come back. */
export function answersOf(clients: readonly ClientLine[]): Artefact {
  return {
    name: 'answers',
    *pieces() {
      let texts: string[] = [];
      for (const { answer } of clients) {
        if (answer === undefined) continue;
        texts.push(JSON.stringify(answer));
        if (texts.length < 2_000) continue;
        yield Buffer.from(texts.join('\n'));
        texts = [];
      }
      yield Buffer.from(texts.join('\n'));
    },
  };
}

function fileArtefact(folder: string, name: string): Artefact {
  return {
    name,
    *pieces(overlapBytes) {
      const file = openSync(join(folder, name), 'r');
      try {
        const buffer = Buffer.alloc(overlapBytes + pieceBytes);
        for (let kept = 0; ;) {
          const read = readSync(file, buffer, kept, pieceBytes, null);
          if (read === 0) return;
          const filled = kept + read;
          yield buffer.subarray(0, filled);
          kept = Math.min(overlapBytes, filled);
          buffer.copyWithin(0, filled - kept, filled);
        }
      } finally {
        closeSync(file);
      }
    },
  };
}

const listed = (folder: string, name: string): string[] =>
  existsSync(join(folder, name)) ? readdirSync(join(folder, name)).sort() : [];

function content(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    throw new UnreadableRun(`${name} is missing`);
  }
}

function json(folder: string, name: string): unknown {
  try {
    return JSON.parse(content(folder, name)) as unknown;
  } catch (error) {
    if (error instanceof UnreadableRun) throw error;
    throw new UnreadableRun(`${name} is no JSON`);
  }
}

function lines<Line>(folder: string, name: string): Line[] {
  return content(folder, name)
    .split('\n')
    .flatMap((line, index) => {
      if (line === '') return [];
      try {
        return [JSON.parse(line) as Line];
      } catch {
        throw new UnreadableRun(`${name}, line ${index + 1}, is no JSON`);
      }
    });
}
