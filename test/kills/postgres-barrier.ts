import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Arrivals } from './arrivals.js';

/** Where a statement is stopped: on its way to the server, or with its answer on the way back, its commit done. */
export type Side = 'before' | 'after';

/** Statements that are stopped, each once. */
export interface Stop {
  /** The name of a prepared statement, or a piece of the text of one that has no name; empty: any that has no name. */
  readonly statement: string;
  /**
   * One statement for each of these is stopped: whichever contains it in its values. One may contain several, and stops
   * for all. What is empty stands in every statement, and stops each.
   */
  readonly about: readonly string[];
  /** How often the statement has to contain it; once when left out. */
  readonly times?: number;
  readonly side: Side;
  /** What becomes of it: it waits until its client is dead, or its connection breaks there and then. */
  readonly then: 'wait' | 'break';
  /** Told whom a statement is about when it has come to its point. */
  readonly arrivals: Pick<Arrivals, 'add'>;
}

/** A statement that was met, by one stop or by several: callers share statements as they please. */
type Met = Pick<Stop, 'side' | 'then'> & { readonly who: readonly Pick<Stop, 'about' | 'arrivals'>[] };

/**
 * A way to Postgres on which statements can be stopped at a chosen point.
 *
 * Whatever a service awaits is an answer from outside, so to stop the answers is to stop the service at each of its
 * awaits, with nothing in its code that knows of it.
 */
export class PostgresBarrier {
  #stops: { readonly stop: Stop; readonly left: Set<string> }[] = [];
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

  /** Stops the next statements that fit. */
  stop(stop: Stop): void {
    this.#stops.push({ stop, left: new Set(stop.about) });
  }

  /** Stops nothing more; what was stopped stays so. */
  letPass(): void {
    this.#stops = [];
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
    const answers = new BackendAnswers();
    /** Set once a statement was met: nothing passes any more on the side where it was stopped. */
    let stopped: Met | null = null;
    const arrive = ({ who, then }: Met) => {
      for (const { about, arrivals } of who) about.forEach((each) => arrivals.add(each));
      if (then === 'break') client.destroy();
    };
    client.on('data', (chunk) => {
      for (const message of messages.read(chunk)) {
        if (stopped === null && (stopped = this.#meet(message)) !== null) {
          answers.forget();
          if (stopped.side === 'before') arrive(stopped);
        }
        if (stopped?.side === 'before') return;
        server.write(message);
      }
    });
    server.on('data', (chunk) => {
      if (stopped === null) return void client.write(chunk);
      if (stopped.side === 'after' && answers.isReady(chunk)) arrive(stopped);
    });
  }

  #meet(message: Buffer): Met | null {
    const met: Stop[] = [];
    for (const { stop, left } of this.#stops) {
      // What is to happen on the other side, or otherwise, has to wait for a statement of its own.
      if (met[0] !== undefined && (met[0].side !== stop.side || met[0].then !== stop.then)) continue;
      if (!runs(message, stop.statement)) continue;
      const about = [...left].filter((who) => contains(message, who, stop.times ?? 1));
      if (about.length === 0) continue;
      for (const who of about) if (who !== '') left.delete(who);
      met.push({ ...stop, about });
    }
    if (met[0] === undefined) return null;
    this.#stops = this.#stops.filter(({ left }) => left.size > 0);
    return { side: met[0].side, then: met[0].then, who: met };
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

const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5]);

/** Finds the end of a statement's answer: ReadyForQuery, after which the statement is done (and outside of a transaction committed). */
class BackendAnswers {
  #tail = Buffer.alloc(0);

  forget(): void {
    this.#tail = Buffer.alloc(0);
  }

  isReady(chunk: Buffer): boolean {
    this.#tail = Buffer.concat([this.#tail, chunk]).subarray(-6);
    return this.#tail.subarray(0, 5).equals(readyForQuery);
  }
}

function contains(message: Buffer, text: string, times: number): boolean {
  let from = 0;
  for (let count = 0; count < times; count++) {
    const at = message.indexOf(text, from);
    if (at < 0) return false;
    from = at + text.length;
  }
  return true;
}

/** Whether a message runs a statement: Bind of a prepared one, Parse of one without a name, or a simple query. */
function runs(message: Buffer, statement: string): boolean {
  const type = message[0];
  if (type === 0x42) {
    const from = message.indexOf(0, 5) + 1;
    return message.toString('latin1', from, message.indexOf(0, from)) === statement;
  }
  if (type === 0x50) return statement !== '' && message[5] === 0 && message.includes(statement, 6);
  return statement !== '' && type === 0x51 && message.includes(statement, 5);
}
