import type { DeadLetter, DeadLetterOffice } from '../dead-letter.js';
import type { InProcessQueue } from './in-process-queue.js';

/** The dead letters of one process; they are gone when it ends, and the sweeps find the requests that they are about. */
export class InProcessDeadLetters implements DeadLetterOffice {
  constructor(private readonly lookUp: (queue: string) => InProcessQueue | undefined) {}

  async list(queues: readonly string[], limit: number): Promise<readonly DeadLetter[]> {
    return this.letters(queues).slice(0, limit);
  }

  async find(queues: readonly string[], key: string): Promise<DeadLetter | null> {
    return this.letters(queues).find((letter) => letter.key === key) ?? null;
  }

  async replay(queues: readonly string[], key: string): Promise<boolean> {
    const letter = this.letters(queues).find((each) => each.key === key);
    return letter !== undefined && this.putBack(letter);
  }

  async replayAll(queues: readonly string[], limit: number): Promise<{ replayed: number; left: number }> {
    const there = this.letters(queues);
    const replayed = there.slice(0, limit).filter((letter) => this.putBack(letter)).length;
    return { replayed, left: there.length - replayed };
  }

  async drop(queues: readonly string[], key: string): Promise<boolean> {
    return this.queuesOf(queues).some((queue) => queue.takeDead(key) !== null);
  }

  async count(queues: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return new Map(this.queuesOf(queues).map((queue) => [queue.name, queue.dead.length]));
  }

  private putBack({ queue, key, body }: DeadLetter): boolean {
    const home = this.lookUp(queue);
    if (!home || home.takeDead(key) === null) return false;
    home.push({ body: Buffer.from(body), attempt: 1 });
    return true;
  }

  private letters(queues: readonly string[]): DeadLetter[] {
    return this.queuesOf(queues).flatMap((queue) => [...queue.dead]);
  }

  private queuesOf(names: readonly string[]): InProcessQueue[] {
    return names.flatMap((name) => this.lookUp(name) ?? []);
  }
}
