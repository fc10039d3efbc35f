import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const lookEveryMs = 100;

/**
 * A load balancer as small as it can be: passes each call on to the next backend that says that it is ready, over
 * connections that it keeps alive. It repeats nothing and hides nothing.
 */
export class RoundRobin {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #ready = new Set<string>();
  readonly #looks: NodeJS.Timeout;
  #turn = 0;

  private constructor(private readonly backends: readonly string[]) {
    this.#server = createServer((call, answer) => this.#pass(call, answer));
    this.#looks = setInterval(() => void this.#look(), lookEveryMs);
  }

  /** Listens on a port of the loopback address. */
  static async start(backends: readonly string[], port = 0): Promise<RoundRobin> {
    const proxy = new RoundRobin(backends);
    await new Promise<void>((resolve) => proxy.#server.listen(port, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when every backend is ready. */
  async allReady(): Promise<void> {
    while (this.#ready.size < this.backends.length) await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }

  async stop(): Promise<void> {
    clearInterval(this.#looks);
    this.#agent.destroy();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #look(): Promise<void> {
    await Promise.all(
      this.backends.map(async (backend) => {
        const answer = await fetch(`${backend}/health/ready`).catch(() => null);
        await answer?.arrayBuffer().catch(() => undefined);
        if (answer?.ok) this.#ready.add(backend);
        else this.#ready.delete(backend);
      }),
    );
  }

  #pass(call: IncomingMessage, answer: ServerResponse): void {
    const ready = this.backends.filter((backend) => this.#ready.has(backend));
    const backend = ready[this.#turn++ % Math.max(1, ready.length)];
    if (backend === undefined) return void answer.writeHead(502).end('no backend is ready');
    const headers = { ...call.headers };
    delete headers.connection;
    const onward = request(`${backend}${call.url}`, { method: call.method, headers, agent: this.#agent }, (reply) => {
      const answered = { ...reply.headers };
      delete answered.connection;
      delete answered['keep-alive'];
      answer.writeHead(reply.statusCode!, answered);
      reply.pipe(answer);
    });
    onward.on('error', (error) => {
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(502).end(error.message);
    });
    call.pipe(onward);
  }
}
