import { connect, type Channel, type ChannelModel, type RecoveringChannelModel } from 'amqplib';
import type { BusStatus } from '../event-bus.js';
import type { Log } from '../log.js';
import type { RabbitLimits } from './limits.js';
import { within } from './time-limit.js';

/** Who uses the channel, and what for. */
export interface ChannelUse<C extends Channel> {
  /** Names the connection in logs and in the broker's own list. */
  readonly name: string;
  open(model: ChannelModel): Promise<C>;
  /** Declares and subscribes; `renew` says that the channel is of no use any more. */
  setUp(channel: C, renew: (why: string) => void): Promise<void>;
  /** The channel is gone, or its set-up failed; the next `setUp` brings another. */
  lost(): void;
}

/** Where the broker is, and how long to wait for it. */
export interface KeptChannelOptions {
  readonly url: string;
  readonly limits: RabbitLimits;
  readonly log: Log;
  /** Called after every change of `status`. */
  readonly changed: () => void;
}

/** Until the next attempt to connect; the attempts go on for ever. */
const reconnect = { initialDelay: 100, maxDelay: 3_000 };
const closeMs = 2_000;
const ignore = (): void => {};

/**
 * One connection with one channel, for as long as it is not closed: whatever ends either of them, it is opened and set
 * up again. It needs no broker to start.
 */
export class KeptChannel<C extends Channel> {
  private readonly connection: Promise<RecoveringChannelModel>;
  private channel: C | null = null;
  private closing = false;
  private current: BusStatus = { state: 'disconnected', problem: 'connecting' };
  /** Why the broker reads nothing from this connection just now; null while it does. */
  private blocked: string | null = null;

  constructor(
    private readonly use: ChannelUse<C>,
    private readonly options: KeptChannelOptions,
  ) {
    this.connection = this.connect();
  }

  get status(): BusStatus {
    const { state, problem } = this.current;
    return { state, problem: this.blocked ?? problem };
  }

  /** Ends the channel, then the connection: in the other order, acknowledgements still in the channel are lost. */
  async close(): Promise<void> {
    this.closing = true;
    const channel = this.channel?.close() ?? Promise.resolve();
    await within(closeMs, 'closing the channel', channel).catch(ignore);
    const connection = this.connection.then((model) => model.close());
    await within(closeMs, 'closing the connection', connection).catch(ignore);
    this.report('disconnected', 'closed');
  }

  private async connect(): Promise<RecoveringChannelModel> {
    const setup = (model: ChannelModel): Promise<void> => this.openFirst(model);
    const model = await connect(this.options.url, {
      noDelay: true,
      timeout: this.options.limits.connectMs,
      clientProperties: { connection_name: this.use.name },
      // Without `waitForConnect: false` a service could not start before its broker.
      recovery: { ...reconnect, waitForConnect: false, setup },
    });
    // An 'error' without a listener ends the process. 'disconnect' or 'connect-failed' follows and says the same.
    model.on('error', ignore);
    model.on('connect-failed', (error) => this.report('disconnected', error.message));
    model.on('disconnect', (error) => this.report('disconnected', error.message));
    model.on('blocked', (reason) => this.block(`the broker takes no messages: ${reason}`));
    model.on('unblocked', () => this.block(null));
    return model;
  }

  /** After every (re)connection; when it fails, the library closes the connection and tries again. */
  private async openFirst(model: ChannelModel): Promise<void> {
    let connected = true;
    this.blocked = null;
    // The library itself listens only after this has succeeded.
    model.on('error', ignore);
    model.on('close', () => (connected = false));
    await this.open(model, () => connected);
  }

  private async open(model: ChannelModel, connected: () => boolean): Promise<void> {
    const { callMs, setUpMs } = this.options.limits;
    const channel = await within(callMs, 'opening a channel', this.use.open(model), discard);
    const life = { stage: 'setting up' as 'setting up' | 'open' | 'over' };
    const end = (why: string): void => {
      const wasOpen = life.stage === 'open';
      life.stage = 'over';
      if (!wasOpen) return;
      this.channel = null;
      this.use.lost();
      this.report('disconnected', why);
      this.reopen(model, connected, channel, 1);
    };
    channel.on('error', (error) => end(error.message));
    channel.on('close', () => end('the channel was closed'));
    try {
      await within(setUpMs, 'setting up the channel', this.use.setUp(channel, end));
      if (life.stage === 'over' || !connected()) throw new Error('the channel was lost while it was set up');
    } catch (error) {
      life.stage = 'over';
      this.use.lost();
      setImmediate(discard, channel);
      throw error;
    }
    life.stage = 'open';
    this.channel = channel;
    this.report('connected', null);
  }

  /** Later, never at once: closing a channel inside its own 'error' event takes the whole connection down. */
  private reopen(model: ChannelModel, connected: () => boolean, old: C, attempt: number): void {
    const { reopenMs } = this.options.limits;
    const delayMs = Math.min(reopenMs * 2 ** (attempt - 1), reopenMs * 10);
    setTimeout(() => {
      discard(old);
      if (this.closing || !connected()) return;
      this.open(model, connected).catch((error: Error) => {
        this.report('disconnected', error.message);
        this.reopen(model, connected, old, attempt + 1);
      });
    }, delayMs).unref();
  }

  private block(reason: string | null): void {
    this.blocked = reason;
    this.announce();
  }

  private report(state: BusStatus['state'], problem: string | null): void {
    const before = this.current;
    if (before.state === state && before.problem === problem) return;
    this.current = { state, problem };
    this.announce();
  }

  private announce(): void {
    const { state, problem } = this.status;
    if (!this.closing) this.options.log(problem === null ? 'info' : 'warn', `${this.use.name} ${state}`, { problem });
    this.options.changed();
  }
}

/** Closes a channel that nobody wants any more, open or not. */
function discard(channel: Channel): void {
  channel.close().catch(ignore);
}
