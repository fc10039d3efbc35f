import type { RequestRow } from './database-rows.js';
import { type Call } from './calls.js';
import type { RuleFacts } from './history-lines.js';

type Attributes = Readonly<Record<string, unknown>> | null | undefined;

/** What clients submitted, found by the request that came of it. */
export class Submissions {
  readonly #byId = new Map<string, Attributes>();
  readonly #byKey = new Map<string, Attributes>();

  constructor(
    calls: readonly Call[],
    clientId: (name: string) => string | undefined,
    private readonly ruleOf: (row: RequestRow) => RuleFacts | undefined,
  ) {
    for (const { sent, answered } of calls) {
      if (sent.op !== 'submit' || answered?.problemCode === 'idempotency_key_reused') continue;
      const key = `${clientId(sent.client)} ${sent.idempotencyKey}`;
      // Of several, the one that was answered is the one that counted.
      if (sent.idempotencyKey && (answered !== null || !this.#byKey.has(key))) this.#byKey.set(key, sent.attributes);
      if (answered?.requestId) this.#byId.set(answered.requestId, sent.attributes);
    }
  }

  /** Undefined when the history does not say. */
  attributesOf({ id, apiClientId, idempotencyKey }: RequestRow): Attributes {
    return this.#byId.get(id) ?? this.#byKey.get(`${apiClientId} ${idempotencyKey}`);
  }

  /** Who was to be asked; undefined when the history does not say. */
  hintOf(row: RequestRow): unknown {
    return this.attributesOf(row)?.[this.ruleOf(row)?.loginHintAttribute ?? 'email'];
  }
}
