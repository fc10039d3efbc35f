import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JWK } from 'jose';
import { accounts } from '../accounts.js';
import type { SandboxIdentity } from '../identity.js';
import type { NewPhoneRequest, PhoneAnswer, PhoneRequest } from '../phone.js';
import type { RowStore } from '../row.store.js';
import type { SandboxLog } from '../sandbox-log.js';
import { CallLog, type LoggedCall } from './call-log.js';
import { hostile } from './hostile.js';
import { misbehaviours } from './misbehaviours.js';
import { hostileClientPrefix, PersonaClients, pushClient } from './persona-clients.js';
import { PersonaDelivery } from './persona-delivery.js';
import { personaAddresses } from './persona-metadata.js';
import { PersonaRequests } from './persona-requests.js';
import { PersonaServer } from './persona-server.js';
import { issueTokens } from './issue-tokens.js';
import { PersonaTokens } from './persona-tokens.js';
import type { Persona } from './persona.js';
import { personas } from './personas.js';

export interface PersonaHouseParts {
  readonly url: string;
  readonly mtlsUrl: string;
  readonly assentUrl: string | null;
  readonly privateKeyJwtJwks: { readonly keys: readonly JWK[] } | null;
  readonly identity: SandboxIdentity;
  readonly store: RowStore;
  readonly ring: (asked: NewPhoneRequest) => Promise<void>;
  readonly stopping: AbortSignal;
  readonly log: SandboxLog;
}

interface Room {
  readonly persona: Persona;
  readonly issuer: string;
  readonly server: PersonaServer;
  readonly calls: CallLog;
}

/** All the providers that the sandbox plays, each under `/as/<persona>`. */
export class PersonaHouse {
  readonly #requests: PersonaRequests;
  readonly #rooms: ReadonlyMap<string, Room>;

  constructor(parts: PersonaHouseParts) {
    const { identity, assentUrl, privateKeyJwtJwks: jwks } = parts;
    this.#requests = new PersonaRequests(parts.store);
    const clients = new PersonaClients({ pki: identity.pki, assentUrl, jwks });
    const tokens = new PersonaTokens(identity.signingKeys);
    const rooms = [...personas, hostile].map((persona) => this.#furnish(persona, parts, clients, tokens));
    this.#rooms = new Map(rooms.map((room) => [room.persona.name, room]));
  }

  /** Answers a call under `/as/<persona>/` and says true; false when it is none of ours. */
  async handle(req: IncomingMessage, res: ServerResponse): Promise<boolean> {
    const { pathname } = new URL(req.url ?? '/', 'http://sandbox');
    const [, name = '', endpoint = ''] = /^\/as\/([a-z0-9-]+)\/(.+)$/.exec(pathname) ?? [];
    return (await this.#rooms.get(name)?.server.handle(endpoint, req, res)) ?? false;
  }

  /** Makes the person's answer count. @throws Error when the request is not known any more. */
  async tell({ persona, authReqId }: PhoneRequest, answer: PhoneAnswer): Promise<void> {
    const request = this.#requests.find(persona ?? '', authReqId);
    const room = this.#rooms.get(persona ?? '');
    if (!request || !room) throw new Error(`The persona ${persona} does not know this request any more`);
    await room.server.decide(request, answer);
  }

  /** The latest calls of a persona; null when there is no such persona. */
  calls(name: string): readonly LoggedCall[] | null {
    return this.#rooms.get(name)?.calls.all() ?? null;
  }

  /** The issuers that are played. */
  issuers(): string[] {
    return [...this.#rooms.values()].map(({ issuer }) => issuer);
  }

  /** What there is, for people and scripts. */
  describe(): object {
    return {
      note: 'Simulations made for this sandbox from what is publicly known; no evidence of how a provider behaves.',
      clients: { push: pushClient, hostile: `${hostileClientPrefix}<misbehaviour>, with the secret of assent-secret` },
      personas: [...this.#rooms.values()].map(({ persona, issuer }) => ({
        name: persona.name,
        title: persona.title,
        issuer,
        profile: persona.profile,
        deliveryModes: persona.deliveryModes,
        hints: Object.fromEntries(accounts.map(({ id }) => [id, persona.hintOf(id, issuer)])),
        peculiarities: persona.peculiarities.map(([quirk, says]) => ({ quirk, says })),
        circumstances: persona.circumstances.map(({ name, peculiarity: [quirk, says] }) => ({
          hint: specialHint(persona.hintOf('alice', issuer), name),
          quirk,
          says,
        })),
        misbehaviours:
          persona === hostile
            ? misbehaviours.map(({ name, says }) => ({ hint: specialHint('alice@example.com', name), says }))
            : [],
      })),
    };
  }

  #furnish(persona: Persona, parts: PersonaHouseParts, clients: PersonaClients, tokens: PersonaTokens): Room {
    const { url, mtlsUrl, assentUrl, ring, stopping, log } = parts;
    const addresses = personaAddresses(persona, url, mtlsUrl);
    const calls = new CallLog();
    const delivery = new PersonaDelivery({
      assentUrl,
      calls,
      stopping,
      log,
      issue: (request, change) => issueTokens({ persona, addresses, tokens }, request, change),
      pushes: (special) => persona.circumstances.find(({ name }) => name === special)?.pushes,
      find: ({ authReqId }) => this.#requests.find(persona.name, authReqId),
    });
    const server = new PersonaServer(
      {
        persona,
        addresses,
        misbehaviours: persona === hostile ? misbehaviours : [],
        requests: this.#requests,
        clients,
        tokens,
        delivery,
        ring,
      },
      calls,
    );
    return { persona, issuer: addresses.issuer, server, calls };
  }
}

/** The same hint with a circumstance in it, in the form that the persona takes. */
const specialHint = (hint: string, name: string): string =>
  hint.startsWith('tel:') ? `${hint};${name}` : hint.replace('alice', `alice+${name}`);
