import type { SandboxLog } from '../sandbox-log.js';
import type { CallLog } from './call-log.js';
import type { Circumstance } from './circumstances.js';
import type { TokenChange } from './misbehaviours.js';
import type { PersonaRequest } from './persona-requests.js';

export interface DeliveryParts {
  readonly assentUrl: string | null;
  readonly calls: CallLog;
  readonly issue: (request: PersonaRequest, change?: TokenChange) => Promise<Record<string, unknown>>;
  /** What is wrong with the pushes of a request for which that was asked. */
  readonly pushes: (special: string | null) => Circumstance['pushes'];
  readonly find: (request: PersonaRequest) => PersonaRequest | null;
  readonly stopping: AbortSignal;
  readonly log: SandboxLog;
}

const timeoutMs = 5000;

/**
 * Tells clients that do not want to ask (CIBA Core 1.0 §10.2, §10.3, §12): once, and never again, whatever the answer.
 * A request that simply expires is worth no ping; a pushed client would never learn of it, so it is told.
 */
export class PersonaDelivery {
  constructor(private readonly parts: DeliveryParts) {}

  /** A request that nobody may ever answer; told of when its time is over. */
  opened(request: PersonaRequest): void {
    if (request.mode !== 'push') return;
    const timer = setTimeout(() => this.#expired(request), request.expiresAtMs - Date.now());
    timer.unref();
    this.parts.stopping.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  /** The person has answered; the client hears of it in the background. */
  decided(request: PersonaRequest): void {
    if (request.mode === 'ping') this.#send(request, {});
    if (request.mode !== 'push') return;
    if (request.decision === 'denied') this.#send(request, { error: 'access_denied' });
    else void this.#push(request);
  }

  async #push(request: PersonaRequest): Promise<void> {
    const { change, authReqId, times = 1 } = this.parts.pushes(request.special) ?? {};
    const tokens = await this.parts.issue(request, change);
    const members = { ...tokens, ...(authReqId !== undefined && { auth_req_id: authReqId }) };
    for (let time = 0; time < times; time++) this.#send(request, members);
  }

  #expired(request: PersonaRequest): void {
    if (this.parts.find(request)?.decision === 'none') this.#send(request, { error: 'expired_token' });
  }

  #send(request: PersonaRequest, members: Record<string, unknown>): void {
    const { assentUrl, calls, log, stopping } = this.parts;
    const { authReqId, notificationToken, clientId } = request;
    if (assentUrl === null || notificationToken === null) return;
    const receivedAtMs = Date.now();
    const note = (status: number): void =>
      calls.add(
        { endpoint: 'notification', receivedAtMs, answeredAtMs: Date.now(), clientId, status, error: null, authReqId },
        null,
      );
    fetch(new URL('/v1/ciba/notifications', assentUrl), {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: `Bearer ${notificationToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ auth_req_id: authReqId, ...members }),
      signal: AbortSignal.any([stopping, AbortSignal.timeout(timeoutMs)]),
    }).then(
      ({ status }) => note(status),
      (error: unknown) => {
        note(0);
        log('warn', 'A persona could not notify its client', { error: String(error) });
      },
    );
  }
}
