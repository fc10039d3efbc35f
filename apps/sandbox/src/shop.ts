import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { AssentProblem, type AssentApi, type AuthorizationRequest } from './assent.http.js';
import type { RowStore } from './row.store.js';
import type { SandboxLog } from './sandbox-log.js';
import { formatAmount, PAYEE } from './shop-catalogue.js';

export type OrderStatus = 'placed' | 'waiting' | 'consuming' | 'paid' | 'denied' | 'expired' | 'cancelled' | 'failed';

/** One purchase. */
export interface ShopOrder {
  readonly id: string;
  readonly number: string;
  readonly loginHint: string;
  readonly amount: string;
  readonly status: OrderStatus;
  /** Assent's id of the authorization request; null until Assent has accepted it. */
  readonly requestId: string | null;
  /** Why it came to a bad end, for people. */
  readonly problem: string | null;
}

const MODEL = 'ShopOrder';
const DAY_SECONDS = 86_400;
const PATIENCE_MS = 900_000;
const RETRY_MS = 1000;

/**
 * The backend of the sample shop. It takes the money only after the approval has been consumed, and it carries every
 * order to an end, also when the browser is closed or the sandbox restarts in between.
 */
export class Shop {
  readonly #changes = new EventEmitter<Record<string, []>>().setMaxListeners(0);

  constructor(
    private readonly options: {
      readonly assent: AssentApi | null;
      readonly rule: string;
      readonly store: RowStore;
      readonly log: SandboxLog;
      readonly stopping: AbortSignal;
    },
  ) {
    for (const { value } of options.store.all(MODEL)) {
      const order = value as ShopOrder;
      if (!isOver(order.status)) this.#carryOn(order);
    }
  }

  /** Takes the order; from here on it is followed to its end. */
  async place(loginHint: string, amountCents: number): Promise<ShopOrder> {
    const id = randomUUID();
    const order: ShopOrder = {
      id,
      number: id.slice(0, 4).toUpperCase(),
      loginHint,
      amount: formatAmount(amountCents),
      status: 'placed',
      requestId: null,
      problem: null,
    };
    await this.#keep(order);
    this.#carryOn(order);
    return order;
  }

  find(id: string): ShopOrder | undefined {
    return this.options.store.get(MODEL, id)?.value as ShopOrder | undefined;
  }

  /** Withdraws the request; what becomes of the order then follows from Assent's decision, like every other end. */
  async cancel(order: ShopOrder): Promise<void> {
    if (order.requestId) await this.options.assent?.cancel(order.requestId);
  }

  onChange(orderId: string, listener: () => void): () => void {
    this.#changes.on(orderId, listener);
    return () => this.#changes.off(orderId, listener);
  }

  #carryOn(order: ShopOrder): void {
    this.#follow(order).catch((error: unknown) => {
      if (this.options.stopping.aborted) return;
      this.options.log('warn', `The shop gave up order ${order.number}`, { error: String(error) });
      const problem = error instanceof AssentProblem ? error.message : 'Assent could not be reached.';
      void this.#change(this.find(order.id) ?? order, { status: 'failed', problem });
    });
  }

  async #follow(placed: ShopOrder): Promise<void> {
    const { assent } = this.options;
    if (!assent) throw new AssentProblem(503, 'not_configured', 'This sandbox runs without Assent.');
    const deadlineMs = Date.now() + PATIENCE_MS;
    const attributes = { email: placed.loginHint, amount: placed.amount, payee: PAYEE };

    const order = placed.requestId ? placed : await this.#ask(assent, placed, attributes);
    const requestId = order.requestId ?? '';
    let request: AuthorizationRequest;
    do {
      request = await this.#insist(() => assent.waitForDecision(requestId), deadlineMs);
      if (Date.now() > deadlineMs) throw new Error('No decision came in time');
    } while (!request.decision);
    await this.#conclude(assent, order, attributes, request.decision);
  }

  async #ask(assent: AssentApi, order: ShopOrder, attributes: Record<string, string>): Promise<ShopOrder> {
    const bindingMessage = `Pay ${order.amount} to ${PAYEE}, order ${order.number}`;
    const asked = { rule: this.options.rule, attributes, bindingMessage, metadata: { order: order.id } };
    // The order's id is the idempotency key: repeating the call never rings the phone twice.
    const { id } = await this.#insist(() => assent.create(asked, order.id), Date.now() + 15_000);
    return this.#change(order, { status: 'waiting', requestId: id });
  }

  async #conclude(
    assent: AssentApi,
    order: ShopOrder,
    attributes: Record<string, string>,
    decision: { readonly outcome: string; readonly reason: string | null },
  ): Promise<void> {
    if (decision.outcome !== 'approved') {
      await this.#change(order, endOf(decision));
      return;
    }
    const attemptedBefore = order.status === 'consuming';
    const consuming = await this.#change(order, { status: 'consuming' });
    let attempts = 0;
    try {
      await this.#insist(() => {
        attempts += 1;
        return assent.consume(order.requestId ?? '', attributes);
      }, Date.now() + PATIENCE_MS);
    } catch (error) {
      // Nobody else knows this request: used up after a lost answer means used up by this order.
      const ours = attemptedBefore || attempts > 1;
      if (!(error instanceof AssentProblem && error.code === 'already_consumed' && ours)) throw error;
    }
    await this.#change(consuming, { status: 'paid' });
  }

  /** Repeats a call that got no answer, until the deadline; a refusal is final. */
  async #insist<T>(call: () => Promise<T>, deadlineMs: number): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const final = error instanceof AssentProblem || this.options.stopping.aborted || Date.now() > deadlineMs;
        if (final) throw error;
        await delay(RETRY_MS, undefined, { signal: this.options.stopping });
      }
    }
  }

  async #change(order: ShopOrder, change: Partial<ShopOrder>): Promise<ShopOrder> {
    const changed = { ...order, ...change };
    await this.#keep(changed);
    this.#changes.emit(order.id);
    return changed;
  }

  #keep(order: ShopOrder): Promise<void> {
    const expiresAt = isOver(order.status) ? Math.floor(Date.now() / 1000) + DAY_SECONDS : null;
    return this.options.store.set({ model: MODEL, id: order.id, value: order, expiresAt });
  }
}

export function isOver(status: OrderStatus): boolean {
  return status !== 'placed' && status !== 'waiting' && status !== 'consuming';
}

function endOf({ outcome, reason }: { outcome: string; reason: string | null }): Partial<ShopOrder> {
  switch (outcome) {
    case 'denied':
    case 'expired':
    case 'cancelled':
      return { status: outcome };
    default:
      return { status: 'failed', problem: reason ? `Assent reports ${reason.replaceAll('_', ' ')}.` : null };
  }
}
