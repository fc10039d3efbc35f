import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type ChannelModel, type ConsumeMessage } from 'amqplib';
import type { Ledger } from './ledger.js';
import type { Random } from './random.js';

interface SinkEvents {
  received: [webhookId: string, atMs: number];
}

/** Whose endpoint a path belongs to; null for callbacks. */
export type EndpointOf = (path: string) => string | null;

/** A receiver of webhooks and callbacks that writes each delivery down before it answers, and answers badly at times. */
export class WebhookLedger extends EventEmitter<SinkEvents> {
  /** Answers 500 to everything while it is set. */
  failing = false;
  readonly #spoiled = new Set<string>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {
    super();
  }

  static async start(ledger: Ledger, random: Random, endpointOf: EndpointOf): Promise<WebhookLedger> {
    const server = createServer({ keepAliveTimeout: 30_000 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const sink = new WebhookLedger(server, (server.address() as AddressInfo).port);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      // A sender that goes away within its request delivered nothing.
      request.on('error', () => response.destroy());
      request.on('end', () => {
        const atMs = Date.now();
        const id = String(request.headers['webhook-id'] ?? '');
        const answered = sink.#answer(`${request.url ?? ''} ${id}`, random);
        ledger.write({
          atMs,
          endpointId: endpointOf(request.url ?? ''),
          url: request.url ?? '',
          headers: request.headers,
          body: Buffer.concat(chunks).toString('utf8'),
          answered,
        });
        sink.emit('received', id, atMs);
        if (answered === null) response.socket?.resetAndDestroy();
        else response.writeHead(answered, answered === 429 ? { 'retry-after': '3' } : {}).end();
      });
    });
    return sink;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** Spoils each delivery once at most of its own accord: the second retry comes minutes later. */
  #answer(delivery: string, random: Random): number | null {
    if (this.failing) return 500;
    if (this.#spoiled.has(delivery) || random.next() > 0.05) return 204;
    this.#spoiled.add(delivery);
    return random.pick([500, 429, null, null]);
  }
}

interface SubscriberEvents {
  received: [messageId: string, atMs: number];
}

const subscriberQueue = 'chaos.subscriber';

/** A subscriber of decisions with a durable queue: writes each message down before it acknowledges it. */
export class AmqpLedger extends EventEmitter<SubscriberEvents> {
  /** The spans in which the queue existed; null: to the end. A wipe of the broker takes the queue along. */
  readonly bound: { fromMs: number; untilMs: number | null }[] = [];
  readonly ids = new Set<string>();
  /** The message that came last. */
  last: ConsumeMessage | null = null;
  #model: ChannelModel | null = null;
  #stopping = false;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly url: string,
    private readonly ledger: Ledger,
  ) {
    super();
  }

  /** Resolves with the first binding; comes back by itself whenever the broker does. */
  async start(): Promise<void> {
    const first = new Promise<void>((resolve) => {
      this.#running = this.#keepSubscribed(resolve);
    });
    await first;
  }

  /** The broker's disk is about to go, and with it the queue. */
  lostQueue(atMs: number): void {
    const last = this.bound.at(-1);
    if (last?.untilMs === null) last.untilMs = atMs;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#model?.close().catch(() => undefined);
    await this.#running;
  }

  async #keepSubscribed(subscribed: () => void): Promise<void> {
    while (!this.#stopping) {
      try {
        const model = await connect(`${this.url}?heartbeat=5`, { timeout: 3_000 });
        this.#model = model;
        const over = new Promise<void>((resolve) => model.once('close', () => resolve()));
        model.on('error', () => undefined);
        await this.#subscribe(model);
        subscribed();
        await over;
      } catch {
        // The broker is away, as it often is in this run.
      }
      await pause(200);
    }
  }

  async #subscribe(model: ChannelModel): Promise<void> {
    const channel = await model.createChannel();
    channel.on('error', () => void model.close().catch(() => undefined));
    await channel.assertExchange('assent.decisions', 'topic', { durable: true });
    await channel.assertQueue(subscriberQueue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await channel.bindQueue(subscriberQueue, 'assent.decisions', 'decision.#');
    if (this.bound.length === 0 || this.bound.at(-1)!.untilMs !== null) {
      this.bound.push({ fromMs: Date.now(), untilMs: null });
    }
    await channel.prefetch(100);
    await channel.consume(subscriberQueue, (message) => {
      if (message === null) return void model.close().catch(() => undefined);
      const atMs = Date.now();
      const messageId = String(message.properties.messageId ?? '');
      this.ids.add(messageId);
      this.last = message;
      this.ledger.write({
        atMs,
        queue: subscriberQueue,
        routingKey: message.fields.routingKey,
        messageId,
        redelivered: message.fields.redelivered,
        body: message.content.toString('utf8'),
      });
      this.emit('received', messageId, atMs);
      channel.ack(message);
    });
  }
}
