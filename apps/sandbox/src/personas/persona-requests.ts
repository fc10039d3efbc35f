import { EventEmitter, once } from 'node:events';
import type { RowStore } from '../row.store.js';
import type { DeliveryMode } from './persona.js';
import type { PollState } from './polling.js';

/** An authentication request that a persona has acknowledged. */
export interface PersonaRequest extends PollState {
  readonly persona: string;
  readonly authReqId: string;
  readonly clientId: string;
  readonly mode: DeliveryMode;
  readonly accountId: string;
  readonly scope: string;
  readonly acr: string | null;
  readonly authorizationDetails: unknown;
  /** The circumstance or misbehaviour that the client asked for. */
  readonly special: string | null;
  readonly notificationToken: string | null;
}

const model = 'PersonaRequest';

/** What the personas remember, over restarts too. */
export class PersonaRequests {
  readonly #changes = new EventEmitter().setMaxListeners(0);

  constructor(private readonly store: RowStore) {}

  find(persona: string, authReqId: string): PersonaRequest | null {
    return (this.store.get(model, keyOf(persona, authReqId))?.value as PersonaRequest | undefined) ?? null;
  }

  async add(request: PersonaRequest): Promise<void> {
    const { persona, authReqId, expiresAtMs } = request;
    const id = keyOf(persona, authReqId);
    await this.store.set({ model, id, value: request, expiresAt: Math.ceil(expiresAtMs / 1000) });
  }

  /** Changes what is known; null forgets the request. */
  async change(request: PersonaRequest, change: Partial<PersonaRequest> | null): Promise<void> {
    const { persona, authReqId } = request;
    const current = this.find(persona, authReqId);
    if (current === null) return;
    if (change === null) await this.store.delete(model, keyOf(persona, authReqId));
    else await this.add({ ...current, ...change });
    if (change?.decision !== undefined) this.#changes.emit(keyOf(persona, authReqId));
  }

  /** Resolves when the person has answered, at the latest when `signal` aborts. */
  async decided({ persona, authReqId, decision }: PersonaRequest, signal: AbortSignal): Promise<void> {
    if (decision !== 'none') return;
    await once(this.#changes, keyOf(persona, authReqId), { signal }).catch(() => undefined);
  }
}

const keyOf = (persona: string, authReqId: string): string => `${persona} ${authReqId}`;
