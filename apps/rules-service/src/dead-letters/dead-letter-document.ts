import type { DeadLetterDocument, WorkQueueName } from '#lib/contracts';
import type { DeadLetter } from '#lib/messaging';

/** A letter as the API shows it: who it is about and why it died. What else the message holds is nobody's business. */
export const deadLetterDocument = (letter: DeadLetter, now: Date): DeadLetterDocument => ({
  id: letter.key,
  queue: letter.queue as WorkQueueName,
  reason: letter.reason,
  attempts: letter.attempts,
  diedAt: letter.diedAt?.toISOString() ?? null,
  ageSeconds: letter.diedAt && Math.max(0, Math.floor((now.getTime() - letter.diedAt.getTime()) / 1000)),
  event:
    letter.type === null || letter.subject === null
      ? null
      : { id: letter.id ?? '', type: letter.type, subject: letter.subject },
  bytes: Buffer.byteLength(letter.body),
});
