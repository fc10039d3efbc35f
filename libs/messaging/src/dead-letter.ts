import { createHash } from 'node:crypto';
import { cloudEvent } from '#lib/contracts';

/** A message that was given up on. */
export interface DeadLetter {
  /** Names this letter among all: the same queue and the same message give the same key (a UUID, RFC 9562 §5.8). */
  readonly key: string;
  /** The queue that it was in, and would go back to. */
  readonly queue: string;
  /** The id of the event, null when the message bears none. */
  readonly id: string | null;
  /** The CloudEvents type and subject; null when the message is no event. */
  readonly type: string | null;
  readonly subject: string | null;
  /** Why it is here: what the handler said, or the broker's `delivery_limit`. */
  readonly reason: string;
  /** How often a handler has refused it. */
  readonly attempts: number;
  /** When it was given up; null when nobody wrote that down. */
  readonly diedAt: Date | null;
  /** The message as it came, readable or not. */
  readonly body: string;
}

/** What is known of a letter beside what its body says. */
export type Envelope = Pick<DeadLetter, 'queue' | 'id' | 'reason' | 'attempts' | 'diedAt'>;

/** What can be done about dead letters, for any number of queues together; queues that do not exist hold none. */
export interface DeadLetterOffice {
  /** The oldest of each queue, at most `limit` in all; they stay where they are. */
  list(queues: readonly string[], limit: number): Promise<readonly DeadLetter[]>;
  find(queues: readonly string[], key: string): Promise<DeadLetter | null>;
  /** Puts one back into its queue as if it were new, and takes it away once it is safe there; false: there is none. */
  replay(queues: readonly string[], key: string): Promise<boolean>;
  /** Puts back up to `limit` of those that are there now, the oldest first. */
  replayAll(queues: readonly string[], limit: number): Promise<{ readonly replayed: number; readonly left: number }>;
  /** Takes one away for good; false: there is none. */
  drop(queues: readonly string[], key: string): Promise<boolean>;
  /** How many there are in each queue. */
  count(queues: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

/** Reads a letter: who it is about is told by its body, if that is an event. */
export function letterOf(envelope: Envelope, content: Buffer): DeadLetter {
  const body = content.toString('utf8');
  const event = cloudEvent.safeParse(parsed(body));
  return {
    ...envelope,
    key: keyOf(envelope, content),
    type: event.success ? event.data.type : null,
    subject: event.success ? event.data.subject : null,
    body,
  };
}

function keyOf({ queue, id }: Envelope, content: Buffer): string {
  const hash = createHash('sha256')
    .update(`${queue}\n${id ?? ''}\n`)
    .update(content)
    .digest();
  hash[6] = (hash[6]! & 0x0f) | 0x80;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
