import type { CallingClient } from './persona-clients.js';
import { hintKinds, type Persona } from './persona.js';
import { refuse, type Refusal } from './reply.js';
import type { HintedPerson } from './hints.js';

/** What a client asks for, read as this persona reads it. */
export interface StartCall {
  readonly person: HintedPerson;
  readonly scope: string;
  readonly bindingMessage: string | null;
  readonly expiresInSeconds: number;
  readonly acr: string | null;
  readonly authorizationDetails: unknown;
  readonly notificationToken: string | null;
}

/** Reads the parameters of a start call, or says what is wrong with them; whether the person exists is not asked here. */
export function readStartCall(
  persona: Persona,
  issuer: string,
  client: CallingClient,
  parameters: ReadonlyMap<string, string>,
): StartCall | Refusal {
  const get = (name: string): string | null => parameters.get(name) ?? null;
  const scope = get('scope') ?? '';
  if (!scope.split(' ').includes('openid')) return refuse('invalid_scope', 'scope must contain openid');
  const delivery = checkDelivery(persona, client, parameters);
  if (delivery !== null) return delivery;
  const person = readHint(persona, issuer, parameters);
  if ('error' in person) return person;
  const bindingMessage = get('binding_message');
  const objection = persona.bindingMessage(bindingMessage);
  if (objection !== null) return objection;
  const expiresInSeconds = readLifetime(persona, get(persona.expiryParameter));
  if (typeof expiresInSeconds !== 'number') return expiresInSeconds;
  const authorizationDetails = readDetails(get('authorization_details'));
  if (authorizationDetails === undefined) return refuse('invalid_authorization_details');
  return {
    person,
    scope,
    bindingMessage,
    expiresInSeconds,
    acr: get('acr_values')?.split(' ')[0] ?? null,
    authorizationDetails,
    notificationToken: client.mode === 'poll' ? null : get('client_notification_token'),
  };
}

function checkDelivery(
  { deliveryModes, refusedParameters }: Persona,
  { mode }: CallingClient,
  parameters: ReadonlyMap<string, string>,
): Refusal | null {
  if (!deliveryModes.includes(mode)) return refuse('unauthorized_client', `${mode} is not offered here`);
  for (const [name, when] of Object.entries(refusedParameters)) {
    if (parameters.has(name) && (when === 'any' || when === mode)) {
      return refuse('invalid_request', `${name} is not allowed`);
    }
  }
  if (mode !== 'poll' && !parameters.has('client_notification_token')) {
    return refuse('invalid_request', 'client_notification_token is missing');
  }
  return null;
}

function readHint(persona: Persona, issuer: string, parameters: ReadonlyMap<string, string>): HintedPerson | Refusal {
  const [kind, ...more] = hintKinds.filter((name) => parameters.has(name));
  if (kind === undefined || more.length > 0) return refuse('invalid_request', 'exactly one hint must be sent');
  const person = persona.hints[kind]?.(parameters.get(kind) ?? '', issuer);
  return person ?? refuse('invalid_request', `this ${kind} is not understood here`);
}

function readLifetime({ lifetime, expiryParameter }: Persona, asked: string | null): number | Refusal {
  if (asked !== null && !/^[1-9]\d{0,8}$/.test(asked)) {
    return refuse('invalid_request', `${expiryParameter} is not a positive integer`);
  }
  return lifetime(asked === null ? null : Number(asked));
}

/** Undefined when it is not JSON. */
function readDetails(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
