import { randomUUID } from 'node:crypto';
import { readSigningKey, type SigningKey } from './client-assertion.js';
import type { FormMembers } from './form.js';
import { ProviderMisconfigured } from './provider-faults.js';
import type { ProviderMetadata } from './provider-metadata.js';
import { providerProfiles } from './provider-profiles.js';
import type { ClientRegistration, RequestSigning, SigningKeyMaterial } from './registration.js';
import type { StartMembers } from './start-members.js';
import { signJwt } from './sign-jwt.js';

/** Short, for nobody needs it twice; FAPI-CIBA allows 60 minutes from `nbf` to `exp`. */
const lifetimeSeconds = 300;
/** In order of preference; asymmetric only (CIBA Core 1.0 §7.1.1). */
const algorithms = ['ES256', 'PS256'] as const;
/** What the JWT says for itself, or must not say at all (CIBA Core 1.0 §7.1.1, RFC 9101 §4). */
const reservedClaims = ['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'request', 'request_uri'];

/** Turns the parameters of a start call into the form that carries them. */
export type SignRequest = (members: StartMembers) => Promise<FormMembers>;

/** What a start call goes with. */
export interface StartCall {
  /** The backchannel endpoint that is called. */
  readonly url: string;
  /** What the client's authentication puts into every form, encoded. */
  readonly authenticationForm: string;
  readonly now: () => Date;
}

/**
 * Prepares signed requests; null where requests are not signed.
 *
 * @throws ProviderMisconfigured when the provider takes no algorithm that we can sign with.
 */
export function prepareRequestSigning(
  registration: ClientRegistration,
  metadata: ProviderMetadata,
  { url, authenticationForm, now }: StartCall,
): SignRequest | null {
  const { clientId, requestSigning } = registration;
  if (!requestSigning) return null;
  const { requestObject } = providerProfiles[registration.provider.profile];
  const key = readSigningKey(chooseKey(requestSigning, metadata.requestAlgorithms));
  const audience = requestObject.audience === 'issuer' ? metadata.issuer : url;
  const inside: FormMembers = requestObject.repeatsClientId ? { client_id: clientId } : {};
  // Once is enough: a parameter that comes twice is an error (RFC 6749 §3.2).
  const outside = new URLSearchParams(authenticationForm).has('client_id') ? {} : inside;
  return async (members) => ({
    ...outside,
    request: await signRequest({ ...members, ...inside }, { clientId, audience, key, now }),
  });
}

/** A provider that names no algorithm takes no signed requests, unless the rule knows better (CIBA Core 1.0 §4). */
function chooseKey({ keys, alg }: RequestSigning, supported: readonly string[] | null): SigningKeyMaterial {
  const wanted = alg === null ? algorithms : [alg];
  const taken = wanted.filter((name) => supported?.includes(name) ?? alg !== null);
  const key = taken.flatMap((name) => keys.filter((candidate) => candidate.alg === name))[0];
  if (key === undefined) {
    throw new ProviderMisconfigured(
      `backchannel_authentication_request_signing_alg_values_supported does not contain ${wanted.join(' or ')}`,
    );
  }
  return key;
}

interface RequestSigner {
  readonly clientId: string;
  readonly audience: string;
  readonly key: SigningKey;
  readonly now: () => Date;
}

async function signRequest(members: StartMembers, { clientId, audience, key, now }: RequestSigner): Promise<string> {
  const claims = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
  const reserved = reservedClaims.find((name) => Object.hasOwn(claims, name));
  if (reserved !== undefined) throw new ProviderMisconfigured(`a signed request cannot carry ${reserved}`);
  const issuedAt = Math.floor(now().getTime() / 1000);
  try {
    const header = { alg: key.alg, ...(key.kid !== null && { kid: key.kid }), typ: 'oauth-authz-req+jwt' };
    const times = { iat: issuedAt, nbf: issuedAt, exp: issuedAt + lifetimeSeconds };
    return await signJwt(header, { ...claims, jti: randomUUID(), iss: clientId, aud: audience, ...times }, key.key);
  } catch (error) {
    throw new ProviderMisconfigured('the signing key does not fit its algorithm', { cause: error });
  }
}
