import type { Database } from '#lib/persistence';
import { Loop, type Log } from '#lib/runtime';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

const everyMs = 60_000;

/** Remembers when API clients used their keys, and writes it down about every minute: no call waits for it. */
@Injectable()
export class KeyUse implements OnApplicationBootstrap, OnApplicationShutdown {
  #uses = new Map<string, Date>();
  readonly #loop: Loop;

  constructor(
    private readonly apiClients: Pick<Database['apiClients'], 'noteUse'>,
    log: Log,
  ) {
    this.#loop = new Loop({ name: 'Noting the use of API keys', everyMs, log, tick: () => this.write() });
  }

  /** Notes that the client has just used its key. */
  note(clientId: string): void {
    this.#uses.set(clientId, new Date());
  }

  /** Writes down what was noted. What could not be written is tried again, unless it was noted anew. */
  async write(): Promise<void> {
    if (this.#uses.size === 0) return;
    const uses = this.#uses;
    this.#uses = new Map();
    try {
      await this.apiClients.noteUse(uses);
    } catch (error) {
      this.#uses = new Map([...uses, ...this.#uses]);
      throw error;
    }
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#loop.stop();
    // The database may be what has gone: then this minute's uses are forgotten, which is what coarse means.
    await this.write().catch(() => undefined);
  }
}
