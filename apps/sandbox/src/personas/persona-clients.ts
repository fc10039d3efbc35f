import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  jwtVerify,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { FAPI_CLIENT_IDS, sandboxClients } from '../clients.js';
import type { SandboxPki } from '../pki.js';
import type { DeliveryMode } from './persona.js';

/** Gets its tokens delivered, where a persona does that; its secret is public like the others. */
export const pushClient = { clientId: 'assent-push', clientSecret: 'sandbox-push-secret-that-everybody-may-know' };

/** The prefix of client ids that choose a misbehaviour; their secret is that of `assent-secret`. */
export const hostileClientPrefix = 'hostile-';

/** A client that has proved who it is. */
export interface CallingClient {
  readonly id: string;
  readonly mode: DeliveryMode;
  readonly mustSign: boolean;
}

/** One call, as far as it tells who calls. */
export interface ClientCall {
  readonly req: IncomingMessage;
  readonly form: URLSearchParams;
  /** Ways that the persona knows. */
  readonly methods: readonly string[];
  /** What an assertion may name. */
  readonly audiences: readonly string[];
}

export interface ClientMaterial {
  readonly pki: SandboxPki;
  readonly assentUrl: string | null;
  /** Instead of the keys that Assent publishes. */
  readonly jwks: { readonly keys: readonly JWK[] } | null;
}

const { secretBasic, ping, signedRequest, tlsClientAuth, selfSignedTls, fapiMtls } = sandboxClients;
const secrets: ReadonlyMap<string, string> = new Map(
  [...Object.values(sandboxClients), pushClient].flatMap((client) =>
    'clientSecret' in client ? [[client.clientId, client.clientSecret] as const] : [],
  ),
);

/** The clients of the sandbox, as every persona knows them. */
export class PersonaClients {
  readonly #keys: JWTVerifyGetKey | null;
  readonly #certificates: ReadonlyMap<string, readonly string[]>;

  constructor({ pki, assentUrl, jwks }: ClientMaterial) {
    if (jwks !== null) this.#keys = createLocalJWKSet({ keys: [...jwks.keys] });
    else if (assentUrl !== null) this.#keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', assentUrl));
    else this.#keys = null;
    this.#certificates = new Map([
      [fingerprint(pki.client.certificatePem), [tlsClientAuth.clientId, fapiMtls.clientId]],
      [fingerprint(pki.selfSignedClient.certificatePem), [selfSignedTls.clientId]],
    ]);
  }

  /** Says who calls; null when nobody has proved to be anybody in a way that is known. */
  async identify(call: ClientCall): Promise<CallingClient | null> {
    const { req, form, methods } = call;
    const basic = readBasic(req.headers.authorization);
    if (basic !== null) return methods.includes('client_secret_basic') ? known(basic.id, basic.secret) : null;
    const assertion = form.get('client_assertion');
    if (assertion !== null) return this.#byAssertion(assertion, call);
    const id = form.get('client_id') ?? '';
    const secret = form.get('client_secret');
    if (secret !== null) return methods.includes('client_secret_post') ? known(id, secret) : null;
    const certificate = (req.socket as Partial<TLSSocket>).getPeerX509Certificate?.();
    const method = id === selfSignedTls.clientId ? 'self_signed_tls_client_auth' : 'tls_client_auth';
    const shown = this.#certificates.get(certificate?.fingerprint256 ?? '')?.includes(id) === true;
    return shown && methods.includes(method) ? describe(id) : null;
  }

  /** The claims of a signed request, if it is this client's and names one of these audiences; else null. */
  async readSignedRequest(jwt: string, clientId: string, audiences: readonly string[]): Promise<JWTPayload | null> {
    if (this.#keys === null) return null;
    try {
      const options = { issuer: clientId, audience: [...audiences], algorithms: ['PS256', 'ES256', 'EdDSA'] };
      return (await jwtVerify(jwt, this.#keys, options)).payload;
    } catch {
      return null;
    }
  }

  async #byAssertion(assertion: string, { methods, audiences }: ClientCall): Promise<CallingClient | null> {
    try {
      const id = decodeJwt(assertion).iss ?? '';
      const symmetric = decodeProtectedHeader(assertion).alg?.startsWith('HS') === true;
      if (!methods.includes(symmetric ? 'client_secret_jwt' : 'private_key_jwt')) return null;
      const options = { issuer: id, subject: id, audience: [...audiences] };
      if (symmetric) await jwtVerify(assertion, Buffer.from(secrets.get(id) ?? ''), options);
      else if (this.#keys === null) return null;
      else await jwtVerify(assertion, this.#keys, options);
      return describe(id);
    } catch {
      return null;
    }
  }
}

function describe(id: string): CallingClient {
  const mode = id === ping.clientId ? 'ping' : id === pushClient.clientId ? 'push' : 'poll';
  return { id, mode, mustSign: id === signedRequest.clientId || FAPI_CLIENT_IDS.includes(id) };
}

function known(id: string, secret: string): CallingClient | null {
  const expected = id.startsWith(hostileClientPrefix) ? secretBasic.clientSecret : secrets.get(id);
  return expected === secret ? describe(id) : null;
}

function readBasic(header = ''): { id: string; secret: string } | null {
  const [scheme = '', credentials = ''] = header.split(' ');
  if (scheme.toLowerCase() !== 'basic') return null;
  const [id = '', secret = ''] = Buffer.from(credentials, 'base64').toString('utf8').split(':').map(decodeFormValue);
  return { id, secret };
}

const decodeFormValue = (value: string): string => new URLSearchParams(`v=${value}`).get('v') ?? '';
const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;
