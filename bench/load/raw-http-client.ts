import { connect, type Socket } from 'node:net';

/** The answer to one request. */
export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * One keep-alive connection that sends one request at a time: a load generator must cost less than what it loads.
 * Reads answers that say their Content-Length, or have no body.
 */
export class RawConnection {
  #received = '';
  #ended = false;
  #waiting: { resolve: (answer: RawAnswer) => void; reject: (error: Error) => void } | null = null;

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.setNoDelay(true);
    socket.on('data', (chunk: string) => this.#read(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('end', () => (this.#ended = true));
    socket.on('close', () => this.#fail(new Error('The server has closed the connection.')));
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1' });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawConnection(socket);
  }

  /** Servers close connections that idle for a while: such a one sends nothing any more. */
  get isOpen(): boolean {
    return !this.#ended && this.socket.writable;
  }

  /** Sends the bytes of a whole request and reads its answer; rejects when the connection ends before it has come. */
  send(bytes: string): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new Error('The connection is closed.'));
      this.#waiting = { resolve, reject };
      this.socket.write(bytes, 'utf8');
    });
  }

  close(): void {
    this.socket.removeAllListeners('close').destroy();
  }

  #read(chunk: string): void {
    this.#received = this.#received === '' ? chunk : this.#received + chunk;
    const answer = takeAnswer(this.#received);
    if (answer === null) return;
    this.#received = this.#received.slice(answer.length);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#ended = true;
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}

/** Reads the first answer of what was received; null when it is not complete yet. */
export function takeAnswer(received: string): (RawAnswer & { readonly length: number }) | null {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) return null;
  const head = received.slice(0, headEnd).toLowerCase();
  const status = Number(head.slice(9, 12));
  const at = head.indexOf('\r\ncontent-length:');
  if (at === -1 && status !== 204) throw new Error(`An answer without a Content-Length:\n${head}`);
  const length = headEnd + 4 + (at === -1 ? 0 : parseInt(head.slice(at + 17), 10));
  if (received.length < length) return null;
  return { status, body: received.slice(headEnd + 4, length), length };
}
