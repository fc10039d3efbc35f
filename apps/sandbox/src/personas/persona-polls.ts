import type { ServerResponse } from 'node:http';
import { CIBA_GRANT_TYPE } from '../clients.js';
import type { TokenChange } from './misbehaviours.js';
import type { CallingClient } from './persona-clients.js';
import type { PersonaParts } from './persona-parts.js';
import type { PersonaRequest } from './persona-requests.js';
import { answerPoll, type PollVerdict } from './polling.js';
import { refuse, replyOf, type Reply } from './reply.js';
import { issueTokens } from './issue-tokens.js';

/** Answers polls as a persona does. */
export class PersonaPolls {
  readonly #beingPolled = new Set<string>();

  constructor(private readonly parts: PersonaParts) {}

  async answer(client: CallingClient, parameters: ReadonlyMap<string, string>, res: ServerResponse): Promise<Reply> {
    const { persona, requests } = this.parts;
    const { wantsScope, whenUnknown, whenOverlapping } = persona.polling;
    if (parameters.get('grant_type') !== CIBA_GRANT_TYPE) return replyOf(refuse('unsupported_grant_type'));
    if (client.mode === 'push') return replyOf(refuse('unauthorized_client', 'tokens are pushed to this client'));
    if (wantsScope && !parameters.has('scope')) return replyOf(refuse('invalid_request', 'scope is missing'));
    const authReqId = parameters.get('auth_req_id') ?? '';
    const request = requests.find(persona.name, authReqId);
    if (request === null || request.clientId !== client.id) return replyOf(refuse(whenUnknown));
    if (whenOverlapping !== null && this.#beingPolled.has(authReqId)) {
      return replyOf(refuse(whenOverlapping, 'another request is being answered'));
    }
    this.#beingPolled.add(authReqId);
    try {
      return await this.#poll(request, res);
    } finally {
      this.#beingPolled.delete(authReqId);
    }
  }

  async #poll(request: PersonaRequest, res: ServerResponse): Promise<Reply> {
    const { persona, misbehaviours, requests } = this.parts;
    const misbehaviour = misbehaviours.find(({ name }) => name === request.special);
    if (misbehaviour?.token) return misbehaviour.token(this.#toolsFor(request));
    const circumstance = persona.circumstances.find(({ name }) => name === request.special);
    const arrivedMs = Date.now();
    const { verdict: first } = answerPoll(persona.polling, request, arrivedMs);
    if (first === 'authorization_pending') {
      await this.#hold(request, circumstance?.holdsSeconds ?? persona.polling.holdsSeconds, res);
    }
    const current = requests.find(request.persona, request.authReqId) ?? request;
    const { verdict, change } = answerPoll(persona.polling, current, arrivedMs);
    await requests.change(current, change);
    const reply =
      verdict === 'tokens'
        ? (circumstance?.redeem ?? { json: await this.#issue(current) })
        : this.#refusal(verdict, change?.intervalSeconds ?? current.intervalSeconds);
    const afterSeconds = circumstance?.answersAfterSeconds;
    return afterSeconds === undefined ? reply : { ...reply, afterSeconds };
  }

  #refusal(verdict: Exclude<PollVerdict, 'tokens'>, waitSeconds: number): Reply {
    const { statuses, slowDown } = this.parts.persona.polling;
    const refusal = refuse(verdict, undefined, statuses?.[verdict]);
    if (verdict !== 'slow_down' || !slowDown.namesWait) return replyOf(refusal);
    const headers = { 'retry-after': String(waitSeconds) };
    return replyOf({ ...refusal, headers, members: { interval: waitSeconds } });
  }

  /** Waits until the person has answered, the time is over, or nobody listens any more. */
  async #hold(request: PersonaRequest, seconds: number, res: ServerResponse): Promise<void> {
    if (seconds === 0) return;
    const over = new AbortController();
    const stop = (): void => over.abort();
    const timer = setTimeout(stop, Math.max(0, Math.min(seconds * 1000, request.expiresAtMs - Date.now())));
    res.once('close', stop);
    await this.parts.requests.decided(request, over.signal);
    clearTimeout(timer);
    res.off('close', stop);
  }

  #issue(request: PersonaRequest, change?: TokenChange): Promise<Record<string, unknown>> {
    return issueTokens(this.parts, request, change);
  }

  #toolsFor(request: PersonaRequest) {
    return {
      clientId: request.clientId,
      tokens: (change?: TokenChange) => this.#issue(request, change),
    };
  }
}
