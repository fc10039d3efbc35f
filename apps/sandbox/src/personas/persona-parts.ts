import type { NewPhoneRequest } from '../phone.js';
import type { Misbehaviour } from './misbehaviours.js';
import type { PersonaClients } from './persona-clients.js';
import type { PersonaDelivery } from './persona-delivery.js';
import type { PersonaAddresses } from './persona-metadata.js';
import type { PersonaRequests } from './persona-requests.js';
import type { PersonaTokens } from './persona-tokens.js';
import type { Persona } from './persona.js';

/** What a persona is played with. */
export interface PersonaParts {
  readonly persona: Persona;
  readonly addresses: PersonaAddresses;
  /** Empty for all but the hostile one. */
  readonly misbehaviours: readonly Misbehaviour[];
  readonly requests: PersonaRequests;
  readonly clients: PersonaClients;
  readonly tokens: PersonaTokens;
  readonly delivery: PersonaDelivery;
  /** Puts a question on somebody's phone. */
  readonly ring: (asked: NewPhoneRequest) => Promise<void>;
}
