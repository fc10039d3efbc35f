import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Where a statement is stopped: on its way to the server, or with its answer on the way back, its commit done. */
export type Side = 'before' | 'after';

/** The statement that is stopped: by its name, and by something that its values contain. */
export interface Stop {
  readonly statement: string;
  readonly about: string;
  readonly side: Side;
  /** What becomes of it: it waits until its client is dead, or its connection breaks there and then. */
  readonly then: 'wait' | 'break';
}

/**
 * A way to Postgres on which one statement can be stopped at a chosen point.
 *
 * Whatever a service awaits is an answer from outside, so to stop the answers is to stop the service at each of its
 * awaits, with nothing in its code that knows of it.
 */
export class PostgresBarrier {
  #stop: Stop | null = null;
  #reached: () => void = () => undefined;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (client) => this.#join(client));
  }

  static async open(databaseUrl: string): Promise<PostgresBarrier> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new PostgresBarrier(server, new URL(databaseUrl));
  }

  /** The database's address on this way. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  /** Stops the next such statement, once; resolves when it has come to its point. */
  stopNext(stop: Stop): Promise<void> {
    this.#stop = stop;
    return new Promise((resolve) => (this.#reached = resolve));
  }

  /** Cuts every connection, those that wait at their point too. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #join(client: Socket): void {
    const server = createConnection({ host: this.target.hostname, port: Number(this.target.port) });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.setNoDelay(true);
      this.#sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    const messages = new FrontendMessages();
    /** Set once the statement was met: nothing passes any more on the side where it was stopped. */
    let stopped: Stop | null = null;
    const arrive = (stop: Stop) => {
      this.#reached();
      if (stop.then === 'break') client.destroy();
    };
    client.on('data', (chunk) => {
      for (const message of messages.read(chunk)) {
        const stop = stopped === null ? this.#take(message) : null;
        stopped ??= stop;
        if (stopped?.side === 'before') {
          if (stop !== null) arrive(stop);
          return;
        }
        server.write(message);
      }
    });
    server.on('data', (chunk) => {
      if (stopped === null) return void client.write(chunk);
      // ReadyForQuery: the statement is done, and committed.
      if (stopped.side === 'after' && chunk.length >= 6 && chunk[chunk.length - 6] === 0x5a) arrive(stopped);
    });
  }

  #take(message: Buffer): Stop | null {
    const stop = this.#stop;
    if (stop === null || statementOf(message) !== stop.statement || !message.includes(stop.about)) return null;
    this.#stop = null;
    return stop;
  }
}

/** Cuts what a client sends into its messages (PostgreSQL protocol 3.0); the first one has no type. */
class FrontendMessages {
  #left = Buffer.alloc(0);
  #started = false;

  *read(chunk: Buffer): Generator<Buffer> {
    this.#left = Buffer.concat([this.#left, chunk]);
    for (;;) {
      const at = this.#started ? 1 : 0;
      if (this.#left.length < at + 4) return;
      const length = at + this.#left.readUInt32BE(at);
      if (this.#left.length < length) return;
      const message = this.#left.subarray(0, length);
      this.#left = this.#left.subarray(length);
      this.#started = true;
      yield message;
    }
  }
}

/** The name of the prepared statement that a Bind message uses; null for every other message. */
function statementOf(message: Buffer): string | null {
  if (message[0] !== 0x42) return null;
  const from = message.indexOf(0, 5) + 1;
  return message.toString('latin1', from, message.indexOf(0, from));
}
