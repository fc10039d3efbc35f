import { z } from 'zod';
import { id, instant } from './identifiers.js';

/** The queues that messages can die in: `<consumer>.<pattern>`, one per handler that must not miss an event. */
export const workQueueNames = [
  'ciba-worker.authorization.requested',
  'decision-service.authorization.approved',
  'decision-service.authorization.denied',
  'decision-service.authorization.expired',
  'decision-service.authorization.failed',
  'decision-service.authorization.cancelled',
  'decision-service.decision.#',
] as const;
export type WorkQueueName = (typeof workQueueNames)[number];

const queue = z.enum(workQueueNames).meta({ description: 'The queue that the message was in.' });

/** A message between the services that was given up on. */
export const deadLetter = z
  .strictObject({
    id: id.meta({ description: 'Names the letter; the same message in the same queue has the same id.' }),
    queue,
    reason: z.string().meta({ description: 'What the handler said last, or what the broker did.' }),
    attempts: z.int().min(0).meta({ description: 'How often a handler failed on it; 0 when none could say so.' }),
    diedAt: instant.nullable(),
    ageSeconds: z.int().min(0).nullable().meta({ description: 'How long ago it was given up.' }),
    event: z
      .strictObject({ id: z.string(), type: z.string(), subject: z.string() })
      .nullable()
      .meta({ description: 'The event: `subject` is the authorization request. Null when the message is no event.' }),
    bytes: z.int().min(0).meta({ description: 'Length of the message.' }),
  })
  .meta({ id: 'DeadLetter' });
export type DeadLetterDocument = z.infer<typeof deadLetter>;

/** `GET /v1/dead-letters` */
export const deadLettersQuery = z.strictObject({
  queue: queue.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50).meta({ description: 'Letters at most, 1 to 100.' }),
});
export type DeadLettersQuery = z.infer<typeof deadLettersQuery>;

/** `POST /v1/dead-letters/replay` */
export const replayBody = z
  .strictObject({ queue: queue.optional() })
  .meta({ id: 'DeadLetterReplayBody', description: 'Which letters; all of them when nothing is chosen.' });
export type ReplayBody = z.infer<typeof replayBody>;

/** What a replay has done. */
export const replayResult = z
  .strictObject({
    replayed: z.int().min(0).meta({ description: 'Letters that are back in their queues.' }),
    left: z.int().min(0).meta({ description: 'Letters that were there and are left: call again.' }),
  })
  .meta({ id: 'DeadLetterReplay' });
export type ReplayResult = z.infer<typeof replayResult>;
