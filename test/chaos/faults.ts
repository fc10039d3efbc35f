import { setTimeout as pause } from 'node:timers/promises';
import { connect, type ConfirmChannel } from 'amqplib';
import type { Cluster, Replica } from './cluster.js';
import type { NetworkKind, PlannedFault, Service } from './fault-plan.js';
import type { Link, Toxics } from './fault-proxy.js';
import type { Ledger } from './ledger.js';
import type { LedgerProvider } from './provider-ledger.js';
import type { HeldWork, Recovery } from './recovery.js';
import type { AmqpLedger, WebhookLedger } from './sinks.js';

export interface FaultsOptions {
  readonly cluster: Cluster;
  readonly provider: LedgerProvider;
  /** The way of the services to the provider. */
  readonly providerLink: Link;
  readonly sinks: readonly { readonly sink: WebhookLedger; readonly link: Link }[];
  readonly subscriber: AmqpLedger;
  readonly recovery: Recovery;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
  /** Told when a fault has been taken back. */
  readonly done: () => void;
}

/** What a fault did, and from when on the work that it had stopped could go on. */
interface Effect {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly healedAtMs: number;
  readonly detail?: Record<string, unknown>;
  /** The recovery is watched already. */
  readonly watched?: true;
}

/** Takes away every binding by which news of a request reaches a queue, and keeps them in the broker's memory. */
const unbindNews = `
  Source = rabbit_misc:r(<<"/">>, exchange, <<"assent.authorizations">>),
  Keys = [<<"authorization.requested">>, <<"authorization.#">>],
  News = [B || B <- rabbit_binding:list_for_source(Source), lists:member(element(3, B), Keys)],
  persistent_term:put(chaos_news, News),
  [ok = rabbit_binding:remove(B, <<"chaos">>) || B <- News].`;

/** The queue of an instance may have ended with it meanwhile; its successor has bound its own. */
const bindNewsAgain = `[rabbit_binding:add(B, <<"chaos">>) || B <- persistent_term:get(chaos_news)].`;

/** Puts the planned faults in, each in its time; faults of one target wait for each other. */
export class Faults {
  readonly #busy = new Map<string, Promise<void>>();

  constructor(private readonly options: FaultsOptions) {}

  /** Resolves when every fault has been put in and taken back. */
  async run(plan: readonly PlannedFault[], startedAtMs: number): Promise<void> {
    const { signal } = this.options;
    const running: Promise<void>[] = [];
    for (const fault of plan) {
      const waitMs = startedAtMs + fault.atMs - Date.now();
      if (waitMs > 0) await pause(waitMs, undefined, { signal });
      signal.throwIfAborted();
      running.push(this.#inTurn(fault));
    }
    await Promise.all(running);
  }

  /** Resolves when no fault is being put in or taken back. */
  async settled(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  /** Whose faults exclude each other: a process and its ways are one thing, so are the broker and the database. */
  #inTurn(fault: PlannedFault): Promise<void> {
    const subject = fault.target.split(' to ')[0]!;
    const before = this.#busy.get(subject) ?? Promise.resolve();
    const mine = before.then(() => this.#inject(fault));
    this.#busy.set(
      subject,
      mine.catch(() => undefined),
    );
    return mine;
  }

  async #inject(fault: PlannedFault): Promise<void> {
    const { signal, ledger, done } = this.options;
    if (signal.aborted) return;
    const { faultId, kind, target } = fault;
    const { fromMs, untilMs, healedAtMs, watched, detail = {} } = await this.#effect(fault);
    ledger.write({ faultId, kind, target, fromMs, untilMs, detail: { ...detail, size: fault.size } });
    if (!watched) this.#watch(fault, healedAtMs);
    done();
  }

  #watch({ faultId, kind, target }: PlannedFault, healedAtMs: number, held = this.#heldBy(target)): void {
    this.options.recovery.watch({ faultId, kind, target, healedAtMs, held });
  }

  #effect(fault: PlannedFault): Promise<Effect> {
    const { cluster, provider } = this.options;
    const { kind, target, forMs, size } = fault;
    switch (kind) {
      case 'kill':
        return this.#kill(fault, cluster.named(target));
      case 'stop':
        return this.#stop(cluster.named(target), forMs);
      case 'kill-postgres':
        return this.#server(
          () => cluster.postgres.kill9(),
          forMs,
          () => persistently(() => cluster.postgres.restart()),
        );
      case 'kill-broker':
        return this.#server(
          () => cluster.rabbit.kill9(),
          forMs,
          () => cluster.rabbit.restart(),
        );
      case 'wipe-broker':
        return this.#server(
          async () => this.options.subscriber.lostQueue(Date.now()),
          forMs,
          () => cluster.rabbit.wipe(),
        );
      case 'broker-alarm':
        return this.#span(
          () => cluster.rabbit.ctl(['set_disk_free_limit', '100000GB']),
          forMs,
          () => cluster.rabbit.ctl(['set_disk_free_limit', '50MB']),
        );
      case 'unbind-queue':
        return this.#unbind(forMs);
      case 'dead-letter':
        return this.#deadLetter(forMs);
      case 'drop-commit-reply':
        return this.#theft(() => this.#replicaOf(target).commits.steal(size, forMs));
      case 'drop-confirm':
        return this.#theft(() => this.#replicaOf(target).confirms.steal(size, forMs));
      case 'drop-token-reply':
        return this.#theft(() => provider.drop('token', size, forMs));
      case 'drop-start-reply':
        return this.#theft(() => provider.drop('start', size, forMs));
      case 'provider-5xx':
        return this.#trouble({ status: size === 1 ? 500 : 503 }, forMs);
      case 'provider-429':
        return this.#trouble({ status: 429, retryAfterSeconds: size }, forMs);
      case 'provider-slow':
        return this.#trouble({ slowMs: size }, forMs);
      case 'provider-key-rotation':
        return this.#span(
          () => provider.rotateKeys(),
          forMs,
          async () => undefined,
        );
      case 'sink-5xx': {
        const { sink } = this.options.sinks[Number(target.at(-1)) - 1]!;
        return this.#span(
          async () => (sink.failing = true),
          forMs,
          async () => (sink.failing = false),
        );
      }
      case 'sink-down':
        return this.#network('cut', this.#linkOf(target), forMs, size);
      case 'latency':
      case 'bandwidth':
      case 'slicer':
      case 'slow-close':
      case 'cut':
      case 'reset':
      case 'black-hole':
      case 'one-way':
      case 'half-open':
        return this.#network(kind, this.#linkOf(target), forMs, size);
    }
  }

  /** The process dies and another generation is started later; what it held must go on without it. */
  async #kill(fault: PlannedFault, { slot }: Replica): Promise<Effect> {
    const { recovery, signal } = this.options;
    const service = slot.service as Service;
    const held = await recovery.heldByProcess(slot.name, service);
    const fromMs = Date.now();
    await slot.kill9();
    const killedAtMs = Date.now();
    // Whatever it held has its replica, from now on.
    this.#watch(fault, killedAtMs, held);
    await pause(fault.forMs);
    if (signal.aborted) return { fromMs, untilMs: killedAtMs, healedAtMs: killedAtMs, watched: true };
    slot.start();
    if (await slot.untilReady()) await recovery.learn(slot.name, service);
    return {
      fromMs,
      untilMs: Date.now(),
      healedAtMs: killedAtMs,
      watched: true,
      detail: { generation: slot.generation },
    };
  }

  /** A poller is stopped with polls in flight, so that it wakes up with answers that are no longer its own to judge. */
  async #stop({ slot }: Replica, forMs: number): Promise<Effect> {
    if (slot.service === 'poller' && Object.keys(this.options.provider.trouble).length === 0) {
      await this.#trouble({ slowMs: 900 }, 700);
    }
    return this.#span(
      async () => slot.freeze(),
      forMs,
      async () => slot.thaw(),
    );
  }

  async #server(kill: () => Promise<void>, pauseMs: number, restart: () => Promise<void>): Promise<Effect> {
    const fromMs = Date.now();
    await kill();
    await pause(pauseMs);
    await restart();
    const untilMs = Date.now();
    return { fromMs, untilMs, healedAtMs: untilMs };
  }

  async #span(begin: () => Promise<unknown>, forMs: number, end: () => Promise<unknown>): Promise<Effect> {
    const fromMs = Date.now();
    await begin();
    await pause(forMs);
    await end();
    const untilMs = Date.now();
    return { fromMs, untilMs, healedAtMs: untilMs };
  }

  /**
   * For a while no queue takes the news of a request: it is returned, waits in the outbox, and only the worker's sweep
   * finds the request. Queues of one instance are locked by its connection, so the broker itself has to do it.
   */
  #unbind(forMs: number): Promise<Effect> {
    const { rabbit } = this.options.cluster;
    return this.#span(
      () => rabbit.ctl(['eval', unbindNews]),
      forMs,
      () => rabbit.ctl(['eval', bindNewsAgain]),
    );
  }

  /** An event ends among the dead letters although it did nothing wrong; later an operator puts it back into its queue. */
  async #deadLetter(forMs: number): Promise<Effect> {
    const queue = 'decision-service.decision.#';
    const { last } = this.options.subscriber;
    let redriven = 0;
    const effect = await this.#span(
      () =>
        this.#onBroker(async (channel) => {
          if (last) channel.publish('assent.dead', queue, last.content, { ...last.properties, persistent: true });
        }),
      forMs,
      () => this.#onBroker(async (channel) => void (redriven += await redrive(channel, queue))),
    );
    return { ...effect, detail: { redriven } };
  }

  /** Does something as a client of the broker, however long that takes on a busy machine. */
  async #onBroker(work: (channel: ConfirmChannel) => Promise<unknown>): Promise<void> {
    await persistently(() => this.#tryOnBroker(work));
  }

  async #tryOnBroker(work: (channel: ConfirmChannel) => Promise<unknown>): Promise<void> {
    const connection = await connect(this.options.cluster.rabbit.url, { timeout: 20_000 });
    connection.on('error', () => undefined);
    try {
      const channel = await connection.createConfirmChannel();
      channel.on('error', () => undefined);
      await work(channel);
      await channel.waitForConfirms();
    } finally {
      await connection.close().catch(() => undefined);
    }
  }

  async #theft(steal: () => Promise<number | null>): Promise<Effect> {
    const fromMs = Date.now();
    const atMs = await steal();
    const untilMs = Date.now();
    return {
      fromMs: atMs === null ? fromMs : atMs - 50,
      untilMs,
      healedAtMs: untilMs,
      detail: { happened: atMs !== null },
    };
  }

  #trouble(trouble: LedgerProvider['trouble'], forMs: number): Promise<Effect> {
    const { provider } = this.options;
    return this.#span(
      async () => (provider.trouble = trouble),
      forMs,
      async () => (provider.trouble = {}),
    );
  }

  async #network(kind: NetworkKind, link: Link, forMs: number, size: number): Promise<Effect> {
    const { toxics, begin } = networkFault(kind, link, size);
    return this.#span(
      async () => {
        link.poison(toxics);
        await begin();
      },
      forMs,
      async () => {
        // Half of the black holes end in resets: the bytes are gone, not late.
        if (kind === 'black-hole' && size === 1) link.reset();
        await link.heal();
      },
    );
  }

  #linkOf(target: string): Link {
    const { cluster, providerLink, sinks } = this.options;
    if (target === 'provider') return providerLink;
    if (target.startsWith('sink-')) return sinks[Number(target.at(-1)) - 1]!.link;
    if (target.startsWith('api-')) return cluster.api[Number(target.at(-1)) - 1]!;
    const replica = this.#replicaOf(target);
    return target.endsWith(' to postgres') ? replica.postgres : replica.broker;
  }

  #replicaOf(target: string): Replica {
    return this.options.cluster.named(target.split(' to ')[0]!);
  }

  /** Which work shows that a target is of use again. */
  #heldBy(target: string): HeldWork {
    const subject = target.split(' to ')[0]!;
    if (subject === 'postgres') return { stage: 'submitted' };
    if (subject === 'broker') return { stage: 'published' };
    if (subject === 'provider') return { stage: 'polled' };
    if (subject.startsWith('sink-')) return { stage: 'delivered' };
    if (subject.startsWith('api-')) return { stage: `submitted at rules-service-${subject.at(-1)!}` };
    if (subject.startsWith('rules-service')) return { stage: `submitted at ${subject}` };
    if (subject.startsWith('ciba-worker')) return { stage: 'asked' };
    if (subject.startsWith('poller')) return { stage: 'polled' };
    return { stage: 'delivered' };
  }
}

/** Moves the dead letters of a queue back into it; answers how many. */
async function redrive(channel: ConfirmChannel, queue: string): Promise<number> {
  for (let moved = 0; ; moved++) {
    const letter = await channel.get(`${queue}.dead`);
    if (letter === false) return moved;
    const { messageId, contentType } = letter.properties as { messageId: string; contentType: string };
    channel.publish('', queue, letter.content, { messageId, contentType, persistent: true, mandatory: true });
    await channel.waitForConfirms();
    channel.ack(letter);
  }
}

/** A server that is slow to come back on a busy machine is no fault of what is tested. */
async function persistently(action: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return void (await action());
    } catch (error) {
      if (tries === 5) throw error;
      await pause(1_000);
    }
  }
}

function networkFault(kind: NetworkKind, link: Link, size: number): { toxics: Toxics; begin: () => Promise<void> } {
  const nothing = async (): Promise<void> => undefined;
  switch (kind) {
    case 'latency':
      return { toxics: { latencyMs: size, jitterMs: size }, begin: nothing };
    case 'bandwidth':
      return { toxics: { bytesPerSecond: size }, begin: nothing };
    case 'slicer':
      return { toxics: { sliceBytes: size }, begin: nothing };
    case 'slow-close':
      return { toxics: { slowCloseMs: size }, begin: nothing };
    case 'cut':
      return { toxics: {}, begin: () => link.down() };
    case 'reset':
      return { toxics: {}, begin: async () => link.reset() };
    case 'black-hole':
      return { toxics: { holds: ['up', 'down'] }, begin: nothing };
    case 'one-way':
      return { toxics: { holds: [size === 1 ? 'up' : 'down'] }, begin: nothing };
    case 'half-open':
      return { toxics: { holds: ['down'] }, begin: async () => link.halfOpen() };
  }
}
