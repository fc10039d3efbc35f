import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PhoneAnswer } from '../phone.js';
import type { CallLog, LoggedEndpoint } from './call-log.js';
import { readForm, singleValues } from './forms.js';
import { audiencesOf, personaMetadata } from './persona-metadata.js';
import type { PersonaParts } from './persona-parts.js';
import { PersonaPolls } from './persona-polls.js';
import type { PersonaRequest } from './persona-requests.js';
import { PersonaStarts } from './persona-starts.js';
import { refuse, replyOf, sendReply, type Reply } from './reply.js';

/** One provider, played: its endpoints, and what comes of an answer on the phone. */
export class PersonaServer {
  readonly #starts: PersonaStarts;
  readonly #polls: PersonaPolls;

  constructor(
    private readonly parts: PersonaParts,
    private readonly calls: CallLog,
  ) {
    this.#starts = new PersonaStarts(parts, (request, answer) => this.decide(request, answer));
    this.#polls = new PersonaPolls(parts);
  }

  /** Answers a call of one of the endpoints and says true; false when there is no such endpoint. */
  async handle(endpoint: string, req: IncomingMessage, res: ServerResponse): Promise<boolean> {
    const { persona, addresses, tokens } = this.parts;
    switch (`${req.method} ${endpoint}`) {
      case 'GET .well-known/openid-configuration':
        await sendReply(res, { json: personaMetadata(persona, addresses) });
        return true;
      case 'GET jwks':
        await sendReply(res, { json: tokens.publicKeys() });
        return true;
      case 'POST backchannel':
        await this.#post('backchannel', req, res);
        return true;
      case 'POST token':
        await this.#post('token', req, res);
        return true;
      default:
        return false;
    }
  }

  /** The person has answered. */
  async decide(request: PersonaRequest, answer: PhoneAnswer): Promise<void> {
    await this.parts.requests.change(request, { decision: answer });
    this.parts.delivery.decided({ ...request, decision: answer });
  }

  async #post(endpoint: LoggedEndpoint, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const receivedAtMs = Date.now();
    const form = await readForm(req);
    const { errorHeaders } = this.parts.persona;
    const [clientId, reply] = await this.#answer(endpoint, req, form, res);
    const { status = 200, headers } = reply;
    const body = (reply.json ?? {}) as { error?: unknown; auth_req_id?: unknown };
    const authReqId = form?.get('auth_req_id') ?? body.auth_req_id ?? null;
    this.calls.add(
      { endpoint, receivedAtMs, answeredAtMs: Date.now(), clientId, status, error: body.error ?? null, authReqId },
      form,
    );
    await sendReply(
      res,
      status >= 400 && errorHeaders ? { ...reply, headers: { ...errorHeaders, ...headers } } : reply,
    );
  }

  async #answer(
    endpoint: LoggedEndpoint,
    req: IncomingMessage,
    form: URLSearchParams | null,
    res: ServerResponse,
  ): Promise<[clientId: string | null, reply: Reply]> {
    if (form === null) return [null, replyOf(refuse('invalid_request', 'not a form'))];
    const { persona, addresses, clients } = this.parts;
    const audiences = audiencesOf(addresses, persona.assertionAudiences, endpoint);
    const client = await clients.identify({ req, form, methods: persona.authenticationMethods, audiences });
    if (client === null) return [null, replyOf(refuse('invalid_client', 'client authentication failed', 401))];
    const parameters = singleValues(form);
    if (parameters === null) return [client.id, replyOf(refuse('invalid_request', 'a parameter is repeated'))];
    const reply =
      endpoint === 'token' ? this.#polls.answer(client, parameters, res) : this.#starts.answer(client, parameters);
    return [client.id, await reply];
  }
}
