import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { freeConsecutivePorts } from './rabbitmq-ports.js';

/** A delivery as it came in, byte for byte; header names in lower case. */
export interface ReceivedDelivery {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How a sink answers once: a status, nothing at all, or a connection that breaks (before or within the answer). */
export type SinkAnswer =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      /** Waits for `release` before it answers. */
      readonly held?: boolean;
    }
  | 'hang'
  | 'cut'
  | 'cut-within-body'
  | 'garbage'
  | 'endless-body';

/** Starts a sink on a free port of the loopback address. */
export const startWebhookSink = (): Promise<WebhookSink> => WebhookSink.start();

interface Script {
  readonly answers: SinkAnswer[];
  readonly held: Array<() => void>;
}

/** A receiver of callbacks and webhooks: records everything, and answers 204 unless told otherwise. */
export class WebhookSink {
  /** Everything received, in the order of arrival. */
  readonly received: ReceivedDelivery[] = [];
  readonly #unread: ReceivedDelivery[] = [];
  readonly #readers: Array<{ path: string | undefined; resolve: (delivery: ReceivedDelivery) => void }> = [];
  readonly #scripts = new Map<string, Script>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** Starts a sink on a free port of the loopback address. */
  static async start(): Promise<WebhookSink> {
    const port = await freeConsecutivePorts(1);
    const server = createServer((request, response) => {
      // A sender that goes away within its request delivered nothing.
      sink.#receive(request, response).catch(() => response.destroy());
    });
    const sink = new WebhookSink(server, port);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return sink;
  }

  /** Where the sink listens; a path may follow. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Answers the next deliveries to a path so, one after the other; later ones get 204 again. */
  answer(path: string, ...answers: SinkAnswer[]): void {
    this.#script(path).answers.push(...answers);
  }

  /** The next delivery that was not read yet, to a path or to any; waits for it. */
  next(path?: string): Promise<ReceivedDelivery> {
    const at = this.#unread.findIndex((delivery) => path === undefined || delivery.path === path);
    if (at >= 0) return Promise.resolve(this.#unread.splice(at, 1)[0]!);
    return new Promise((resolve) => this.#readers.push({ path, resolve }));
  }

  /** How many deliveries to a path came in and were not read. */
  unread(path?: string): number {
    return this.#unread.filter((delivery) => path === undefined || delivery.path === path).length;
  }

  /** Lets answers that are held go out. */
  release(path: string): void {
    for (const go of this.#script(path).held.splice(0)) go();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  #script(path: string): Script {
    const script = this.#scripts.get(path) ?? { answers: [], held: [] };
    this.#scripts.set(path, script);
    return script;
  }

  #hand(delivery: ReceivedDelivery): void {
    this.received.push(delivery);
    const at = this.#readers.findIndex(({ path }) => path === undefined || path === delivery.path);
    if (at >= 0) this.#readers.splice(at, 1)[0]!.resolve(delivery);
    else this.#unread.push(delivery);
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? '/';
    const script = this.#script(path);
    const delivery: ReceivedDelivery = {
      method: request.method ?? '',
      path,
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      body: Buffer.concat(chunks).toString('utf8'),
    };
    const answer = script.answers.shift() ?? { status: 204 };
    if (typeof answer === 'object' && answer.held) script.held.push(() => reply(answer, response));
    else reply(answer, response);
    this.#hand(delivery);
  }
}

function reply(answer: SinkAnswer, response: ServerResponse): void {
  switch (answer) {
    case 'hang':
      return;
    case 'cut':
      response.socket?.destroy();
      return;
    case 'cut-within-body':
      response.writeHead(200, { 'content-length': '1000' }).write('half');
      response.socket?.end();
      return;
    case 'garbage':
      response.socket?.end('this is not HTTP\r\n\r\n');
      return;
    case 'endless-body': {
      response.writeHead(200);
      const chunk = 'x'.repeat(16_384);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
      return;
    }
    default:
      response.writeHead(answer.status, answer.headers).end(answer.body);
  }
}
