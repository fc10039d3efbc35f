import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { RowStore } from './row.store.js';

export type PhoneAnswer = 'approved' | 'denied';

/** What came of tapping a button: only `answered` has told the provider. */
export type AnswerOutcome = 'answered' | 'unknown' | 'already-answered' | 'expired';

/** One question on somebody's phone. Its id is the phone's own: the `auth_req_id` is the client's secret. */
export interface PhoneRequest {
  readonly id: string;
  /** Whichever of the simulated providers asks; left out by the real one. */
  readonly persona?: string;
  readonly authReqId: string;
  readonly accountId: string;
  readonly clientId: string;
  readonly clientName: string;
  readonly scope: string;
  readonly bindingMessage: string | null;
  readonly createdAt: string;
  /** Seconds since the epoch, as the provider counts. */
  readonly expiresAt: number;
  readonly answer: PhoneAnswer | null;
  readonly answeredAt: string | null;
}

export type NewPhoneRequest = Omit<PhoneRequest, 'id' | 'createdAt' | 'answer' | 'answeredAt'>;

const MODEL = 'PhoneRequest';
const RECENT_ANSWERS = 5;

/** The phones of all accounts: what they are asked, and what was answered. */
export class Phone {
  readonly #changes = new EventEmitter<Record<string, []>>().setMaxListeners(0);
  /** The unanswered ones, oldest first; expired ones leave when somebody looks. */
  readonly #waiting = new Map<string, PhoneRequest>();
  readonly #recent = new Map<string, PhoneRequest[]>();
  readonly #beingAnswered = new Set<string>();

  /** `tellProvider` makes the answer count; when it rejects, the request keeps waiting. */
  constructor(
    private readonly store: RowStore,
    private readonly tellProvider: (request: PhoneRequest, answer: PhoneAnswer) => Promise<void>,
  ) {
    const stored = [...store.all(MODEL)].map((row) => row.value as PhoneRequest);
    for (const request of stored.sort((a, b) => a.createdAt.localeCompare(b.createdAt))) {
      if (!request.answer) this.#waiting.set(request.id, request);
    }
    for (const request of stored.sort((a, b) => String(a.answeredAt).localeCompare(String(b.answeredAt)))) {
      if (request.answer) this.#noteAnswer(request);
    }
  }

  /** Puts a question on the phone; resolves when it would survive a restart. */
  async ring(asked: NewPhoneRequest): Promise<void> {
    const request: PhoneRequest = {
      ...asked,
      id: randomUUID(),
      createdAt: new Date().toISOString(),
      answer: null,
      answeredAt: null,
    };
    this.#waiting.set(request.id, request);
    await this.#keep(request);
    this.#changes.emit(request.accountId);
  }

  /** What can still be answered, oldest first. */
  waitingFor(accountId: string): PhoneRequest[] {
    for (const request of this.#waiting.values()) {
      if (isExpired(request)) this.#waiting.delete(request.id);
    }
    return [...this.#waiting.values()].filter((request) => request.accountId === accountId);
  }

  /** The latest answers, newest first. */
  recentAnswers(accountId: string): readonly PhoneRequest[] {
    return this.#recent.get(accountId) ?? [];
  }

  /** Answers once: of several taps, however close, one is `answered`. */
  async answer(id: string, answer: PhoneAnswer): Promise<AnswerOutcome> {
    const request = this.store.get(MODEL, id)?.value as PhoneRequest | undefined;
    if (!request) return 'unknown';
    if (request.answer || this.#beingAnswered.has(id)) return 'already-answered';
    if (isExpired(request)) return 'expired';
    this.#beingAnswered.add(id);
    try {
      await this.tellProvider(request, answer);
      const answered: PhoneRequest = { ...request, answer, answeredAt: new Date().toISOString() };
      this.#waiting.delete(id);
      this.#noteAnswer(answered);
      await this.#keep(answered);
    } finally {
      this.#beingAnswered.delete(id);
    }
    this.#changes.emit(request.accountId);
    return 'answered';
  }

  /** Calls back at every change of this account's phone, until the returned function is called. */
  onChange(accountId: string, listener: () => void): () => void {
    this.#changes.on(accountId, listener);
    return () => this.#changes.off(accountId, listener);
  }

  #noteAnswer(request: PhoneRequest): void {
    const recent = [request, ...(this.#recent.get(request.accountId) ?? [])];
    this.#recent.set(request.accountId, recent.slice(0, RECENT_ANSWERS));
  }

  #keep(request: PhoneRequest): Promise<void> {
    return this.store.set({ model: MODEL, id: request.id, value: request, expiresAt: request.expiresAt });
  }
}

/** As the provider decides it, on a clock of whole seconds. */
function isExpired({ expiresAt }: PhoneRequest): boolean {
  return expiresAt <= Math.floor(Date.now() / 1000);
}
