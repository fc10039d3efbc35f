import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** `up` is towards the server, `down` towards the client. */
export type Direction = 'up' | 'down';

/** What a link does to the bytes that pass, from now on and on every connection; absent members do nothing. */
export interface Toxics {
  readonly latencyMs?: number;
  /** Added to the latency, from zero to this. */
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
  /** Passes so many bytes at a time. */
  readonly sliceBytes?: number;
  /** Keeps the end of a connection to itself for so long. */
  readonly slowCloseMs?: number;
  /** Lets nothing pass in these directions: bytes and ends wait. */
  readonly holds?: readonly Direction[];
}

/** Reads what passes on one connection, and may end it: what it answers is passed on, `cut` ends the connection. */
export interface Watch {
  pass(direction: Direction, chunk: Buffer): Buffer | 'cut';
}

/** One way to one server, with whatever can happen to a network on the way. */
export class Link {
  #server: Server | null = null;
  #port = 0;
  #toxics: Toxics = {};
  #released = new Set<() => void>();
  readonly #connections = new Set<Connection>();

  constructor(
    readonly name: string,
    private readonly targetPort: number,
    private readonly watch: (() => Watch) | null = null,
  ) {}

  get port(): number {
    return this.#port;
  }

  get toxics(): Toxics {
    return this.#toxics;
  }

  /** How many connections stand. */
  get size(): number {
    return this.#connections.size;
  }

  /** Listens on a port of the loopback address, the same one as before after `down`. */
  async up(port = this.#port): Promise<void> {
    if (this.#server) return;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = port;
  }

  /** Refuses connections and breaks those that stand. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    this.reset();
    await closed;
  }

  /** Poisons the link; replaces what was there. */
  poison(toxics: Toxics): void {
    this.#toxics = toxics;
    this.#release();
  }

  /** Breaks every connection that stands with a reset to both sides. */
  reset(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /** The server's side of every connection goes; the client's side stays and hears nothing. */
  halfOpen(): void {
    for (const connection of this.#connections) connection.loseServer();
  }

  /** Everything passes again. Connections that lost their server are reset. */
  async heal(): Promise<void> {
    this.poison({});
    for (const connection of this.#connections) if (connection.lostServer) connection.reset();
    await this.up();
  }

  /** Resolves when bytes may pass in this direction, or the connection is over. */
  async whenPassable(direction: Direction, isOver: () => boolean): Promise<void> {
    while (this.#toxics.holds?.includes(direction) && !isOver()) {
      await new Promise<void>((resolve) => this.#released.add(resolve));
    }
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.#release();
  }

  #release(): void {
    const waiting = this.#released;
    this.#released = new Set();
    for (const resolve of waiting) resolve();
  }

  #accept(client: Socket): void {
    const server = connect({ port: this.targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#connections.add(new Connection(this, client, server, this.watch?.() ?? null));
  }
}

/** A client's connection and the one that stands for it at the server. */
class Connection {
  lostServer = false;
  #over = false;

  constructor(
    private readonly link: Link,
    private readonly client: Socket,
    private readonly server: Socket,
    watch: Watch | null,
  ) {
    new Pipe(link, 'up', client, server, watch, this);
    new Pipe(link, 'down', server, client, watch, this);
    server.once('error', () => this.#serverEnds());
    server.once('close', () => this.#serverEnds());
    client.once('error', () => this.reset());
    client.once('close', () => this.reset());
  }

  get over(): boolean {
    return this.#over;
  }

  reset(): void {
    if (this.#over) return;
    this.#over = true;
    for (const socket of [this.client, this.server]) {
      socket.on('error', () => undefined);
      if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
    this.link.forget(this);
  }

  loseServer(): void {
    this.lostServer = true;
    this.server.on('error', () => undefined);
    this.server.resetAndDestroy();
  }

  #serverEnds(): void {
    // What the server said before it went may still be on its way to the client.
    if (!this.lostServer && !this.server.readableEnded) this.reset();
    else if (!this.lostServer) setImmediate(() => this.client.destroySoon());
  }
}

interface Parcel {
  /** Null: the end of the stream. */
  readonly bytes: Buffer | null;
  readonly dueMs: number;
}

/** One direction of a connection, in order. */
class Pipe {
  readonly #parcels: Parcel[] = [];
  #moving = false;

  constructor(
    private readonly link: Link,
    private readonly direction: Direction,
    private readonly from: Socket,
    private readonly to: Socket,
    watch: Watch | null,
    private readonly connection: Connection,
  ) {
    from.on('data', (chunk: Buffer) => {
      const passed = watch === null ? chunk : watch.pass(direction, chunk);
      if (passed === 'cut') connection.reset();
      else if (passed.length > 0) this.#add(passed);
    });
    from.on('end', () => this.#add(null));
    to.on('error', () => undefined);
  }

  #add(bytes: Buffer | null): void {
    const { latencyMs = 0, jitterMs = 0, slowCloseMs = 0 } = this.link.toxics;
    const delayMs = latencyMs + Math.random() * jitterMs + (bytes === null ? slowCloseMs : 0);
    this.#parcels.push({ bytes, dueMs: performance.now() + delayMs });
    if (!this.#moving) void this.#move();
  }

  async #move(): Promise<void> {
    this.#moving = true;
    for (let parcel = this.#parcels.shift(); parcel && !this.connection.over; parcel = this.#parcels.shift()) {
      const waitMs = parcel.dueMs - performance.now();
      if (waitMs > 0) await pause(waitMs);
      if (this.link.toxics.holds) await this.link.whenPassable(this.direction, () => this.connection.over);
      if (this.connection.over) break;
      if (parcel.bytes === null) this.to.end();
      else await this.#send(parcel.bytes);
    }
    this.#moving = false;
  }

  async #send(bytes: Buffer): Promise<void> {
    const { bytesPerSecond, sliceBytes } = this.link.toxics;
    const size = sliceBytes ?? (bytesPerSecond === undefined ? bytes.length : Math.ceil(bytesPerSecond / 20));
    for (let at = 0; at < bytes.length && !this.connection.over; at += size) {
      const full = !this.to.write(bytes.subarray(at, at + size));
      if (bytesPerSecond !== undefined) await pause((1000 * size) / bytesPerSecond);
      else if (sliceBytes !== undefined) await pause(1);
      if (full && !this.connection.over) await this.#drained();
    }
  }

  /** Holds the sender back until the receiver has caught up. */
  async #drained(): Promise<void> {
    this.from.pause();
    await new Promise<void>((resolve) => {
      this.to.once('drain', resolve);
      this.to.once('close', resolve);
    });
    this.from.resume();
  }
}
