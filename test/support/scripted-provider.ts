import { randomInt, randomUUID } from 'node:crypto';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';

/**
 * A token provider that answers as a test tells it to.
 *
 * Left alone it behaves: it acknowledges a start call, says `authorization_pending` until the test approves, denies or
 * expires the request, and hands out tokens once. Any endpoint can be scripted with `on`, down to the bytes on the wire.
 * Whatever it receives stands in its ledger.
 */
export interface ScriptedProvider {
  /** Also the base address. */
  readonly issuer: string;
  readonly port: number;
  /** Every call received, oldest first. */
  readonly ledger: readonly RecordedCall[];
  /** Every request acknowledged by the default script, oldest first. */
  readonly requests: readonly ScriptedRequest[];
  /** The standard metadata, as published; a test may change it. */
  readonly metadata: Record<string, unknown>;
  /** The recorded calls of one endpoint. */
  calls(endpoint: Endpoint): RecordedCall[];
  /** Resolves with the next call of an endpoint that is received from now on. */
  nextCall(endpoint: Endpoint): Promise<RecordedCall>;
  /** Scripts an endpoint; a handler that returns null leaves the call to the default script. */
  on(endpoint: Endpoint, handler: ScriptedHandler): void;
  /** Gives an endpoint back to the default script. */
  off(endpoint: Endpoint): void;
  /** The person says yes; `claims` go into the ID token. */
  approve(authReqId: string, claims?: JWTPayload): void;
  /** The person says no. */
  deny(authReqId: string): void;
  /** Nobody answered in time. */
  expire(authReqId: string): void;
  /** Signs an ID token that would be in order, but for the claims and options given; a claim of undefined is left out. */
  idToken(claims?: JWTPayload, options?: IdTokenOptions): Promise<string>;
  /** Makes a new signing key and publishes it beside the old ones, or instead of them. */
  rotateKeys(options?: { readonly keepOld?: boolean; readonly kid?: string; readonly alg?: string }): Promise<void>;
  /** Stops listening and cuts every connection; state and port are kept. */
  goAway(): Promise<void>;
  /** Listens again on the same port. */
  comeBack(): Promise<void>;
  /** Ends for good. */
  stop(): Promise<void>;
}

/** The parts of a provider that can be scripted. */
export type Endpoint = 'discovery' | 'jwks' | 'backchannel' | 'token' | 'revocation';

/** A call as received. */
export interface RecordedCall {
  readonly endpoint: Endpoint | 'unknown';
  /** Milliseconds of a clock that never runs backwards. */
  readonly receivedAtMs: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** The raw body. */
  readonly body: string;
  /** The body read as a form. */
  readonly form: URLSearchParams;
  /** Who calls: from the form, basic credentials or the client assertion. */
  readonly clientId: string | null;
  /** The caller's port: equal for calls over one connection. */
  readonly remotePort: number;
  /** The certificate shown in the TLS handshake. */
  readonly clientCertificateFingerprint: string | null;
  /** Resolves when the answer is on its way, or the connection is gone. */
  readonly answered: Promise<void>;
}

/** A request in the provider's memory. */
export interface ScriptedRequest {
  readonly authReqId: string;
  readonly clientId: string;
  readonly form: URLSearchParams;
  state: 'pending' | 'approved' | 'denied' | 'expired' | 'redeemed';
  claims: JWTPayload;
}

/** What goes on the wire. */
export interface ScriptedReply {
  /** 200 when left out. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; wins over `json`. */
  readonly body?: string | Buffer;
  /** Milliseconds to wait before the first byte. */
  readonly delayMs?: number;
  /** Announces the whole body, sends that many bytes of it, and cuts the connection. */
  readonly cutAfterBytes?: number;
  /** Cuts the connection without a byte of an answer. */
  readonly reset?: boolean;
  /** Never answers; the connection stays open. */
  readonly hang?: boolean;
  /** Sends headers and the body but its last byte, and then nothing more. */
  readonly stall?: boolean;
  /** Sent in place of an HTTP answer. */
  readonly rawBytes?: string;
}

/** Decides what one call is answered. */
export type ScriptedHandler = (call: RecordedCall) => ScriptedReply | null | Promise<ScriptedReply | null>;

/** How an ID token is signed. */
export interface IdTokenOptions {
  /** Added to the header or replacing what is in it. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Signs in place of the provider's own key; `alg` of the header stays unless given. */
  readonly key?: CryptoKey | Uint8Array;
}

/** How the provider runs. */
export interface ScriptedProviderOptions {
  /** A free one below 32768 when left out. */
  readonly port?: number;
  /** With a certificate and key the provider speaks https. */
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    readonly ca?: string;
    readonly requestCert?: boolean;
    readonly rejectUnauthorized?: boolean;
    readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
    readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  };
  /** The host name in the issuer; 127.0.0.1 when left out. */
  readonly host?: string;
  /** Sent in the acknowledgement; left out of it when null. 5 when left out. */
  readonly intervalSeconds?: number | null;
  /** 120 when left out. */
  readonly expiresInSeconds?: number;
  /** Merged into the published metadata; undefined removes a member. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Path of the issuer, such as `/tenant`. */
  readonly path?: string;
}

const cibaGrant = 'urn:openid:params:grant-type:ciba';
const paths: Readonly<Record<Endpoint, string>> = {
  discovery: '/.well-known/openid-configuration',
  jwks: '/jwks',
  backchannel: '/backchannel',
  token: '/token',
  revocation: '/revocation',
};

/** Starts a provider on the loopback interface. */
export async function startScriptedProvider(options: ScriptedProviderOptions = {}): Promise<ScriptedProvider> {
  const provider = new Provider(options);
  await provider.rotateKeys();
  await provider.comeBack();
  return provider;
}

interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly alg: string;
  readonly kid: string;
}

class Provider implements ScriptedProvider {
  readonly ledger: RecordedCall[] = [];
  readonly requests: ScriptedRequest[] = [];
  private readonly handlers = new Map<Endpoint, ScriptedHandler>();
  private readonly waiting = new Map<Endpoint, ((call: RecordedCall) => void)[]>();
  private readonly server: ReturnType<typeof createHttpServer> | ReturnType<typeof createHttpsServer>;
  private readonly lateAnswers = new Set<NodeJS.Timeout>();
  private readonly basePath: string;
  private keys: SigningKey[] = [];
  private published: Record<string, unknown> = {};
  private listeningPort = 0;

  constructor(private readonly options: ScriptedProviderOptions) {
    // A call that is cut while it arrives is no call; a handler that fails leaves the caller without an answer.
    const listener: RequestListener = (request, response) => {
      this.receive(request, response).catch(() => request.socket.destroy());
    };
    this.server = options.tls === undefined ? createHttpServer(listener) : createHttpsServer(options.tls, listener);
    this.basePath = options.path ?? '';
  }

  get port(): number {
    return this.listeningPort;
  }

  get issuer(): string {
    const { tls, host = '127.0.0.1' } = this.options;
    return `${tls === undefined ? 'http' : 'https'}://${host}:${this.listeningPort}${this.basePath}`;
  }

  get metadata(): Record<string, unknown> {
    return this.published;
  }

  calls(endpoint: Endpoint): RecordedCall[] {
    return this.ledger.filter((call) => call.endpoint === endpoint);
  }

  nextCall(endpoint: Endpoint): Promise<RecordedCall> {
    return new Promise((resolve) => this.waiting.set(endpoint, [...(this.waiting.get(endpoint) ?? []), resolve]));
  }

  on(endpoint: Endpoint, handler: ScriptedHandler): void {
    this.handlers.set(endpoint, handler);
  }

  off(endpoint: Endpoint): void {
    this.handlers.delete(endpoint);
  }

  approve(authReqId: string, claims: JWTPayload = {}): void {
    const request = this.request(authReqId);
    request.state = 'approved';
    request.claims = claims;
  }

  deny(authReqId: string): void {
    this.request(authReqId).state = 'denied';
  }

  expire(authReqId: string): void {
    this.request(authReqId).state = 'expired';
  }

  async idToken(claims: JWTPayload = {}, options: IdTokenOptions = {}): Promise<string> {
    const key = this.keys.at(-1);
    if (key === undefined) throw new Error('the provider has no key');
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: this.issuer, sub: 'person-1', aud: 'client-1', iat: now, exp: now + 300, auth_time: now };
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg: key.alg, kid: key.kid, ...options.header })
      .sign(options.key ?? key.privateKey);
  }

  async rotateKeys(options: { keepOld?: boolean; kid?: string; alg?: string } = {}): Promise<void> {
    const { keepOld = false, kid = randomUUID(), alg = 'ES256' } = options;
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
    this.keys = [...(keepOld ? this.keys : []), { privateKey, publicJwk, alg, kid }];
  }

  async comeBack(): Promise<void> {
    const wanted = this.listeningPort || this.options.port;
    this.listeningPort = await listen(this.server, wanted);
    if (Object.keys(this.published).length === 0) this.published = this.standardMetadata();
  }

  async goAway(): Promise<void> {
    for (const timer of this.lateAnswers) clearTimeout(timer);
    this.lateAnswers.clear();
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  stop(): Promise<void> {
    return this.goAway();
  }

  private standardMetadata(): Record<string, unknown> {
    const address = (endpoint: Endpoint) => `${this.issuer}${paths[endpoint]}`;
    return {
      issuer: this.issuer,
      token_endpoint: address('token'),
      backchannel_authentication_endpoint: address('backchannel'),
      jwks_uri: address('jwks'),
      grant_types_supported: [cibaGrant],
      backchannel_token_delivery_modes_supported: ['poll'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      id_token_signing_alg_values_supported: ['ES256', 'PS256', 'RS256', 'EdDSA'],
      ...this.options.metadata,
    };
  }

  private request(authReqId: string): ScriptedRequest {
    const request = this.requests.find((known) => known.authReqId === authReqId);
    if (request === undefined) throw new Error('the provider knows no such auth_req_id');
    return request;
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answered = new Promise<void>((resolve) => response.once('finish', resolve).once('close', resolve));
    const call = { ...this.record(request, await readBody(request)), answered };
    this.ledger.push(call);
    if (call.endpoint === 'unknown') return send(response, { status: 404, json: {} });
    for (const resolve of this.waiting.get(call.endpoint) ?? []) resolve(call);
    this.waiting.delete(call.endpoint);
    const scripted = (await this.handlers.get(call.endpoint)?.(call)) ?? null;
    const reply = scripted ?? (await this.defaultReply(call.endpoint, call));
    if (reply.delayMs === undefined) return send(response, reply);
    const timer = setTimeout(() => {
      this.lateAnswers.delete(timer);
      send(response, reply);
    }, reply.delayMs);
    this.lateAnswers.add(timer);
  }

  private record(request: IncomingMessage, body: string): Omit<RecordedCall, 'answered'> {
    const path = new URL(request.url ?? '/', this.issuer).pathname;
    const endpoints = Object.entries(paths) as [Endpoint, string][];
    const form = new URLSearchParams(body);
    return {
      endpoint: endpoints.find(([, suffix]) => path === this.basePath + suffix)?.[0] ?? 'unknown',
      receivedAtMs: performance.now(),
      method: request.method ?? '',
      path,
      headers: request.headers,
      body,
      form,
      clientId: readClientId(form, request.headers.authorization),
      remotePort: request.socket.remotePort ?? 0,
      clientCertificateFingerprint:
        this.options.tls === undefined
          ? null
          : ((request.socket as TLSSocket).getPeerCertificate()?.fingerprint256 ?? null),
    };
  }

  private defaultReply(endpoint: Endpoint, call: RecordedCall): ScriptedReply | Promise<ScriptedReply> {
    switch (endpoint) {
      case 'discovery':
        return { json: this.published };
      case 'jwks':
        return { json: { keys: this.keys.map((key) => key.publicJwk) } };
      case 'backchannel':
        return this.acknowledge(call);
      case 'token':
        return this.redeem(call);
      case 'revocation':
        return { json: {} };
    }
  }

  private acknowledge({ form, clientId }: RecordedCall): ScriptedReply {
    const { intervalSeconds = 5, expiresInSeconds = 120 } = this.options;
    const authReqId = randomUUID();
    this.requests.push({ authReqId, clientId: clientId ?? '', form, state: 'pending', claims: {} });
    const interval = intervalSeconds === null ? {} : { interval: intervalSeconds };
    return { json: { auth_req_id: authReqId, expires_in: expiresInSeconds, ...interval } };
  }

  private async redeem({ form, clientId }: RecordedCall): Promise<ScriptedReply> {
    const request = this.requests.find((known) => known.authReqId === form.get('auth_req_id'));
    if (form.get('grant_type') !== cibaGrant) return failure('unsupported_grant_type');
    if (request === undefined || request.clientId !== clientId) return failure('invalid_grant');
    switch (request.state) {
      case 'pending':
        return failure('authorization_pending');
      case 'expired':
        return failure('expired_token');
      case 'redeemed':
        return failure('invalid_grant');
      case 'denied':
        request.state = 'redeemed';
        return failure('access_denied');
      case 'approved':
        request.state = 'redeemed';
        return { json: await this.tokens(request) };
    }
  }

  private async tokens({ clientId, form, claims }: ScriptedRequest): Promise<Record<string, unknown>> {
    const hint = form.get('login_hint') ?? undefined;
    const acr = form.get('acr_values')?.split(' ')[0];
    const idToken = await this.idToken({ aud: clientId, sub: hint, ...(acr !== undefined && { acr }), ...claims });
    return { access_token: randomUUID(), token_type: 'Bearer', expires_in: 300, id_token: idToken };
  }
}

function failure(error: string): ScriptedReply {
  return { status: 400, json: { error } };
}

/** Puts an answer on the wire, whatever it is. */
export function send(response: ServerResponse, reply: ScriptedReply): void {
  const { status = 200, headers = {}, cutAfterBytes, reset = false, hang = false, stall = false, rawBytes } = reply;
  const socket = response.socket;
  if (hang || socket === null) return;
  // Only a plain connection can be reset; one in TLS ends without the farewell, which is as bad.
  if (reset) return void (socket instanceof TLSSocket ? socket.destroy() : socket.resetAndDestroy());
  if (rawBytes !== undefined) return void socket.end(rawBytes, 'latin1');
  const body = Buffer.from(reply.body ?? JSON.stringify(reply.json ?? null));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length, ...headers });
  if (stall) return void response.write(body.subarray(0, -1));
  if (cutAfterBytes === undefined) return void response.end(body);
  response.flushHeaders();
  response.write(body.subarray(0, cutAfterBytes), () => socket.destroySoon());
}

/** The whole body as text. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function readClientId(form: URLSearchParams, authorization = ''): string | null {
  const [scheme = '', credentials = ''] = authorization.split(' ');
  if (scheme.toLowerCase() === 'basic') {
    const [clientId = ''] = Buffer.from(credentials, 'base64').toString('utf8').split(':');
    return new URLSearchParams(`v=${clientId}`).get('v');
  }
  const assertion = form.get('client_assertion');
  return form.get('client_id') ?? (assertion === null ? null : (decodeJwt(assertion).iss ?? null));
}

/** Ports from 32768 on may be taken by outgoing connections, so they are left alone. */
export async function listen(server: Server, wanted: number | undefined): Promise<number> {
  for (let attempt = 0; ; attempt += 1) {
    server.listen(wanted ?? randomInt(10_000, 32_768), '127.0.0.1');
    try {
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    } catch (error) {
      if (wanted !== undefined || attempt === 20) throw error;
    }
  }
}
