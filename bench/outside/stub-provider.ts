import { createSign, generateKeyPairSync, randomUUID, type JsonWebKey, type KeyObject } from 'node:crypto';
import { AssertionCheck, type AssertionReport } from './assertion-check.js';
import { jsonResponse, type RawRequest } from './raw-http-server.js';

/** How the stub behaves. */
export interface ProviderBehaviour {
  /** Approves so many ms after the start call; null: everything stays pending. */
  readonly approveAfterMs: number | null;
  /** Seconds between polls that it asks for. */
  readonly interval: number;
  readonly expiresIn: number;
  /** Looks at each request's rhythm; costs a look-up for each poll. */
  readonly track: boolean;
  /** Public keys of those whose assertions it checks; nobody's when left out. */
  readonly clientKeys?: readonly JsonWebKey[];
}

/** What the stub has seen since it was last reset. */
export interface ProviderReport {
  readonly starts: number;
  readonly polls: number;
  readonly tokens: number;
  /** Polls that came sooner than the interval after the answer before; two at a time show as one that is early. */
  readonly early: number;
  /** Requests that were polled at least once. */
  readonly polled: number;
  /** How late polls came, in ms after the interval was over; a sample at most. */
  readonly latenessMs: Float64Array;
  /** When each request was started, in ms of the monotonic clock that all processes share, by its login hint. */
  readonly startedAtMs: ReadonlyMap<string, number>;
  /** When its tokens were handed out, likewise. */
  readonly redeemedAtMs: ReadonlyMap<string, number>;
  /** Null when it checks none. */
  readonly assertions: AssertionReport | null;
}

interface Request {
  readonly hint: string;
  readonly approveAtMs: number;
  readonly notificationToken: string | null;
  answeredAtMs: number;
  redeemed: boolean;
}

const pending = jsonResponse(400, { error: 'authorization_pending' });
const refused = jsonResponse(401, { error: 'invalid_client' });
const usedUp = jsonResponse(400, { error: 'invalid_grant' });
const mostLateness = 2_000_000;

/** Milliseconds of a clock that all processes of a machine share. */
export const sharedNowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/**
 * A token provider that does as little as one can: it looks at no credentials, and signs real ID tokens. It stands for a
 * provider that is never the bottleneck; a real one costs a hundred times as much.
 */
export class StubProvider {
  readonly clientId = 'bench-client';
  issuer = '';
  #behaviour: ProviderBehaviour = { approveAfterMs: null, interval: 5, expiresIn: 3600, track: false };
  readonly #keyId = randomUUID();
  readonly #privateKey: KeyObject;
  readonly #publicJwk: object;
  #requests = new Map<string, Request>();
  #rhythm = new Map<string, number>();
  #starts = 0;
  #polls = 0;
  #tokens = 0;
  #early = 0;
  #lateness = new Float64Array(65_536);
  #latenessSize = 0;
  #startedAt = new Map<string, number>();
  #redeemedAt = new Map<string, number>();
  #assertions: AssertionCheck | null = null;
  #firstSince: Map<string, number> | null = null;
  #markedAtMs = 0;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = privateKey;
    this.#publicJwk = { ...publicKey.export({ format: 'jwk' }), kid: this.#keyId, alg: 'ES256', use: 'sig' };
  }

  configure(behaviour: ProviderBehaviour): void {
    const { clientKeys } = behaviour;
    this.#behaviour = behaviour;
    this.#assertions =
      clientKeys === undefined ? null : new AssertionCheck(clientKeys, [this.issuer, `${this.issuer}/token`]);
  }

  /** Forgets what it has seen; what is pending stays. */
  reset(): void {
    this.#starts = this.#polls = this.#tokens = this.#early = this.#latenessSize = 0;
    this.#startedAt = new Map();
    this.#redeemedAt = new Map();
    this.#rhythm = new Map();
    this.#firstSince = null;
    for (const [id, { redeemed }] of this.#requests) if (redeemed) this.#requests.delete(id);
  }

  report(): ProviderReport {
    return {
      starts: this.#starts,
      polls: this.#polls,
      tokens: this.#tokens,
      early: this.#early,
      polled: this.#rhythm.size,
      latenessMs: this.#lateness.slice(0, this.#latenessSize),
      startedAtMs: this.#startedAt,
      redeemedAtMs: this.#redeemedAt,
      assertions: this.#assertions?.report() ?? null,
    };
  }

  /** From now on the stub notes when each request is polled for the first time. */
  mark(): void {
    this.#firstSince = new Map();
    this.#markedAtMs = sharedNowMs();
  }

  /** How long after the mark requests were polled for the first time, in ms; those that were. */
  sinceMark(): Float64Array {
    return Float64Array.from(this.#firstSince?.values() ?? [], (atMs) => atMs - this.#markedAtMs);
  }

  /** Token calls since the last reset. */
  get polls(): number {
    return this.#polls;
  }

  /** The token with which the provider pings about the request of a person; null when there is none. */
  pingOf(hint: string): { authReqId: string; token: string } | null {
    for (const [authReqId, { hint: of, notificationToken }] of this.#requests) {
      if (of === hint && notificationToken !== null) return { authReqId, token: notificationToken };
    }
    return null;
  }

  /** Answers a call that is for the provider; null for any other. */
  handle(request: RawRequest): string | null {
    switch (request.path) {
      case '/token':
        return this.#token(request);
      case '/backchannel':
        return this.#start(request);
      case '/.well-known/openid-configuration':
        return jsonResponse(200, this.#metadata());
      case '/jwks':
        return jsonResponse(200, { keys: [this.#publicJwk] });
      default:
        return null;
    }
  }

  #start({ body }: RawRequest): string {
    const form = new URLSearchParams(body);
    const { approveAfterMs, interval, expiresIn } = this.#behaviour;
    const authReqId = randomUUID();
    const nowMs = sharedNowMs();
    const hint = form.get('login_hint') ?? '';
    this.#starts++;
    this.#startedAt.set(hint, nowMs);
    this.#requests.set(authReqId, {
      hint,
      approveAtMs: approveAfterMs === null ? Infinity : nowMs + approveAfterMs,
      notificationToken: form.get('client_notification_token'),
      answeredAtMs: nowMs,
      redeemed: false,
    });
    return jsonResponse(200, { auth_req_id: authReqId, expires_in: expiresIn, interval });
  }

  #token({ body }: RawRequest): string {
    this.#polls++;
    if (this.#assertions?.accepts(body) === false) return refused;
    if (!this.#behaviour.track && this.#behaviour.approveAfterMs === null) return pending;
    const id = authReqIdOf(body);
    const nowMs = sharedNowMs();
    if (this.#behaviour.track) this.#observe(id, nowMs);
    const request = this.#requests.get(id);
    if (request === undefined || nowMs < request.approveAtMs) return pending;
    if (request.redeemed) return usedUp;
    request.redeemed = true;
    this.#tokens++;
    this.#redeemedAt.set(request.hint, nowMs);
    return jsonResponse(200, {
      access_token: randomUUID(),
      token_type: 'Bearer',
      expires_in: 300,
      id_token: this.#idToken(request.hint),
    });
  }

  #observe(id: string, nowMs: number): void {
    const before = this.#rhythm.get(id) ?? this.#requests.get(id)?.answeredAtMs;
    this.#rhythm.set(id, nowMs);
    if (this.#firstSince?.has(id) === false) this.#firstSince.set(id, nowMs);
    if (before === undefined) return;
    const lateMs = nowMs - before - this.#behaviour.interval * 1000;
    // Both clocks tick in whole ms: half of one is no hurry.
    if (lateMs < -0.5) this.#early++;
    if (this.#latenessSize >= mostLateness) return;
    if (this.#latenessSize === this.#lateness.length) {
      const larger = new Float64Array(this.#lateness.length * 2);
      larger.set(this.#lateness);
      this.#lateness = larger;
    }
    this.#lateness[this.#latenessSize++] = lateMs;
  }

  #idToken(subject: string): string {
    const now = Math.floor(Date.now() / 1000);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: this.issuer, sub: subject, aud: this.clientId, iat: now, exp: now + 300, auth_time: now };
    const signed = `${part({ alg: 'ES256', kid: this.#keyId })}.${part({ ...claims, jti: randomUUID() })}`;
    const signature = createSign('sha256').update(signed).sign({ key: this.#privateKey, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }

  #metadata(): object {
    return {
      issuer: this.issuer,
      jwks_uri: `${this.issuer}/jwks`,
      token_endpoint: `${this.issuer}/token`,
      backchannel_authentication_endpoint: `${this.issuer}/backchannel`,
      backchannel_token_delivery_modes_supported: ['poll', 'ping'],
      grant_types_supported: ['urn:openid:params:grant-type:ciba'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt', 'tls_client_auth'],
      token_endpoint_auth_signing_alg_values_supported: ['ES256'],
      id_token_signing_alg_values_supported: ['ES256'],
    };
  }
}

function authReqIdOf(body: string): string {
  const at = body.indexOf('auth_req_id=') + 12;
  const end = body.indexOf('&', at);
  return body.slice(at, end === -1 ? undefined : end);
}
