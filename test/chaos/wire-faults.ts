import type { Direction, Watch } from './fault-proxy.js';

/** Loses a reply that is about to pass a link, when it is told to. */
export class ReplyThief {
  #wanted = 0;
  readonly #stolen: (() => void)[] = [];

  /** Loses the n-th reply from now; resolves when it is lost. Null when none came by in time. */
  async steal(nth: number, withinMs: number): Promise<number | null> {
    this.#wanted = nth;
    let timer: NodeJS.Timeout | undefined;
    const lost = new Promise<number>((resolve) => this.#stolen.push(() => resolve(Date.now())));
    const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), withinMs)));
    const atMs = await Promise.race([lost, late]);
    clearTimeout(timer);
    this.#wanted = 0;
    this.#stolen.length = 0;
    return atMs;
  }

  /** True when this is the reply that has to go. */
  takes(): boolean {
    return this.#wanted > 0 && --this.#wanted === 0;
  }

  took(): void {
    for (const tell of this.#stolen.splice(0)) tell();
  }
}

/**
 * Reads one connection to Postgres (protocol 3.0) and loses the server's answer to a commit: the statement has been
 * committed, its client never hears of it. A commit is `COMMIT`, or a writing statement outside of a transaction.
 */
export class CommitWatch implements Watch {
  #rest: Buffer = Buffer.alloc(0);
  #started = false;
  #writes = new Map<string, boolean>();
  #bound = false;
  #inTransaction = false;
  #swallowing = false;
  #down: Buffer = Buffer.alloc(0);

  constructor(private readonly thief: ReplyThief) {}

  pass(direction: Direction, chunk: Buffer): Buffer | 'cut' {
    if (direction === 'up') {
      this.#read(chunk);
      return chunk;
    }
    if (!this.#swallowing) return chunk;
    // Until the server is ready for the next query it may not have committed.
    this.#down = Buffer.concat([this.#down, chunk]);
    while (this.#down.length >= 5) {
      const size = 1 + this.#down.readInt32BE(1);
      const type = this.#down[0];
      if (this.#down.length < size) break;
      this.#down = this.#down.subarray(size);
      if (type !== 0x5a) continue;
      this.thief.took();
      return 'cut';
    }
    return Buffer.alloc(0);
  }

  #read(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const head = this.#started ? 1 : 0;
      if (this.#rest.length < head + 4) return;
      const size = head + this.#rest.readInt32BE(head);
      if (this.#rest.length < size) return;
      const message = this.#rest.subarray(0, size);
      this.#rest = this.#rest.subarray(size);
      if (this.#started) this.#message(String.fromCharCode(message[0]!), message.subarray(5));
      this.#started = true;
    }
  }

  #message(type: string, body: Buffer): void {
    switch (type) {
      case 'Q':
        return this.#query(text(body, 0));
      case 'P': {
        const name = text(body, 0);
        this.#writes.set(name, isWrite(text(body, Buffer.byteLength(name) + 1)));
        return;
      }
      case 'B': {
        const portal = text(body, 0);
        this.#bound = this.#writes.get(text(body, Buffer.byteLength(portal) + 1)) ?? false;
        return;
      }
      case 'S':
        if (this.#bound && !this.#inTransaction) this.#commits();
        this.#bound = false;
    }
  }

  #query(sql: string): void {
    if (/^\s*(begin|start transaction)/i.test(sql)) this.#inTransaction = true;
    else if (/^\s*rollback/i.test(sql)) this.#inTransaction = false;
    else if (/^\s*commit/i.test(sql)) {
      this.#inTransaction = false;
      this.#commits();
    } else if (!this.#inTransaction && isWrite(sql)) this.#commits();
  }

  #commits(): void {
    if (!this.#swallowing && this.thief.takes()) this.#swallowing = true;
  }
}

const isWrite = (sql: string): boolean => /\b(insert into|update \w+|delete from)\b/i.test(sql);

const text = (body: Buffer, from: number): string => body.toString('utf8', from, body.indexOf(0, from));

/** Reads one connection from RabbitMQ (AMQP 0-9-1) and loses a publisher's confirm (basic.ack) with the connection. */
export class ConfirmWatch implements Watch {
  #rest: Buffer = Buffer.alloc(0);

  constructor(private readonly thief: ReplyThief) {}

  pass(direction: Direction, chunk: Buffer): Buffer | 'cut' {
    if (direction === 'up') return chunk;
    const whole = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (whole.length >= at + 7) {
      const size = 8 + whole.readUInt32BE(at + 3);
      if (whole.length < at + size) break;
      // Frame type 1 is a method; class 60 is basic, method 80 its ack.
      const isConfirm =
        whole[at] === 1 && size >= 12 && whole.readUInt16BE(at + 7) === 60 && whole.readUInt16BE(at + 9) === 80;
      if (isConfirm && this.thief.takes()) {
        this.thief.took();
        return 'cut';
      }
      at += size;
    }
    this.#rest = whole.subarray(at);
    return chunk;
  }
}
