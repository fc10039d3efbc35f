import { findAccountById } from '../accounts.js';
import type { PhoneAnswer } from '../phone.js';
import type { Circumstance } from './circumstances.js';
import { hostileClientPrefix, type CallingClient } from './persona-clients.js';
import { audiencesOf } from './persona-metadata.js';
import type { PersonaParts } from './persona-parts.js';
import type { PersonaRequest } from './persona-requests.js';
import { PromptLimit } from './prompt-limit.js';
import { refuse, replyOf, type Refusal, type Reply } from './reply.js';
import { readStartCall, type StartCall } from './start-call.js';

type Decide = (request: PersonaRequest, answer: PhoneAnswer) => Promise<void>;

/** Answers start calls as a persona does. */
export class PersonaStarts {
  readonly #promptLimit: PromptLimit;

  constructor(
    private readonly parts: PersonaParts,
    private readonly decide: Decide,
  ) {
    this.#promptLimit = new PromptLimit(parts.persona.promptsPerMinute ?? Infinity);
  }

  async answer(client: CallingClient, outside: ReadonlyMap<string, string>): Promise<Reply> {
    const { persona, addresses } = this.parts;
    const parameters = await this.#openSignedRequest(client, outside);
    if ('error' in parameters) return replyOf(parameters);
    const call = readStartCall(persona, addresses.issuer, client, parameters);
    if ('error' in call) return replyOf(call);
    if (findAccountById(call.person.account) === undefined) return replyOf(persona.unknownUser);
    const circumstance = persona.circumstances.find(({ name }) => name === call.person.circumstance) ?? null;
    if (circumstance?.start) return circumstance.start;
    const waitSeconds = this.#promptLimit.take(call.person.account, Date.now());
    if (waitSeconds > 0) {
      const headers = { 'retry-after': String(waitSeconds) };
      return replyOf({ ...refuse('too_many_requests', 'too many prompts for this user', 429), headers });
    }
    return this.#acknowledge(client, call, circumstance);
  }

  async #acknowledge(client: CallingClient, call: StartCall, circumstance: Circumstance | null): Promise<Reply> {
    const { persona, misbehaviours, requests, delivery } = this.parts;
    const { intervalSeconds, announcesInterval } = persona.polling;
    const acknowledgement: Record<string, unknown> = {
      auth_req_id: (circumstance?.authReqId ?? persona.authReqId)(),
      expires_in: call.expiresInSeconds,
      ...(announcesInterval && { interval: intervalSeconds }),
      ...persona.acknowledgement,
      ...circumstance?.acknowledgement,
    };
    const special = client.id.startsWith(hostileClientPrefix)
      ? client.id.slice(hostileClientPrefix.length)
      : call.person.circumstance;
    const misbehaviour = misbehaviours.find(({ name }) => name === special);
    const reply = misbehaviour?.start?.(acknowledgement) ?? { json: acknowledgement };
    const request = this.#requestOf(client, call, acknowledgement, reply, special);
    await requests.add(request);
    delivery.opened(request);
    if (circumstance?.answersAtOnce) await this.decide(request, circumstance.answersAtOnce);
    else if (misbehaviour?.token === undefined) await this.#ring(request, call);
    return reply;
  }

  #requestOf(
    client: CallingClient,
    call: StartCall,
    acknowledgement: Readonly<Record<string, unknown>>,
    reply: Reply,
    special: string | null,
  ): PersonaRequest {
    const { persona } = this.parts;
    const nowMs = Date.now();
    const sent = (reply.json ?? {}) as Record<string, unknown>;
    return {
      persona: persona.name,
      authReqId: String(sent['auth_req_id'] ?? acknowledgement['auth_req_id']),
      clientId: client.id,
      mode: client.mode,
      accountId: call.person.account,
      scope: [...new Set([...call.scope.split(' '), ...(persona.addsScopes ?? [])])].join(' '),
      acr: call.acr,
      authorizationDetails: call.authorizationDetails,
      special,
      notificationToken: call.notificationToken,
      expiresAtMs: nowMs + call.expiresInSeconds * 1000,
      // What a client makes of an interval that is missing or senseless (CIBA Core 1.0 §7.3).
      intervalSeconds: Number(acknowledgement['interval']) || 5,
      waitsSinceMs: nowMs,
      decision: 'none',
      redeemed: false,
    };
  }

  /** The parameters, taken out of a signed request where there is one (CIBA Core 1.0 §7.1.1). */
  async #openSignedRequest(
    client: CallingClient,
    outside: ReadonlyMap<string, string>,
  ): Promise<ReadonlyMap<string, string> | Refusal> {
    const { signedRequests } = this.parts.persona;
    const jwt = outside.get('request');
    if (jwt === undefined) {
      return client.mustSign && signedRequests !== null
        ? refuse('invalid_request', 'this client has to sign its requests')
        : outside;
    }
    if (signedRequests === null) return refuse('invalid_request', 'no signing algorithm is registered for this client');
    const audiences = audiencesOf(this.parts.addresses, signedRequests.audiences, 'backchannel');
    const claims = await this.parts.clients.readSignedRequest(jwt, client.id, audiences);
    if (claims === null) return refuse('invalid_request_object', 'the signed request cannot be accepted');
    if (
      signedRequests.clientIdInside &&
      (claims['client_id'] !== client.id || outside.get('client_id') !== client.id)
    ) {
      return refuse('invalid_request', 'client_id must stand inside and outside of the request');
    }
    return new Map(
      Object.entries(claims).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    );
  }

  #ring(request: PersonaRequest, call: StartCall): Promise<void> {
    return this.parts.ring({
      persona: request.persona,
      authReqId: request.authReqId,
      accountId: request.accountId,
      clientId: request.clientId,
      clientName: `${this.parts.persona.title} (simulated)`,
      scope: call.scope,
      bindingMessage: call.bindingMessage,
      expiresAt: Math.floor(request.expiresAtMs / 1000),
    });
  }
}
