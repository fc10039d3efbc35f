import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import type { Ledger } from './ledger.js';
import type { PersonPlan } from './request-plan.js';

/** What the provider knows of the client of one rule. */
export interface ProviderClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly mode: 'poll' | 'ping';
  readonly expiresInSeconds: number;
  readonly intervalSeconds: number;
}

/** How the provider misbehaves for a while. */
export interface ProviderTrouble {
  readonly status?: 500 | 503 | 429;
  readonly retryAfterSeconds?: number;
  readonly slowMs?: number;
}

export interface ProviderOptions {
  readonly ledger: Ledger;
  readonly clients: readonly ProviderClient[];
  /** Who a login hint belongs to, and what this person will do. */
  readonly person: (loginHint: string) => PersonPlan | null;
  /** Where pings go; one of them for each ping. */
  readonly notificationUrls: () => readonly string[];
  /** Stand in every id and token that the provider makes. */
  readonly markers: { readonly authReqId: string; readonly accessToken: string };
}

interface Prompt {
  readonly authReqId: string;
  readonly loginHint: string;
  readonly client: ProviderClient;
  readonly notificationToken: string | null;
  readonly plan: PersonPlan;
  readonly expiresAtMs: number;
  answer: 'approve' | 'deny' | null;
  used: boolean;
  intervalMs: number;
  lastCallMs: number;
  slowDownsLeft: number;
  /** After a ping one call may come at once. */
  hurries: number;
}

type Said =
  | 'acknowledged'
  | 'refused'
  | 'pending'
  | 'slow_down'
  | 'tokens'
  | 'access_denied'
  | 'expired_token'
  | 'invalid_grant'
  | 'none';

/** What goes out once the ledger knows of it. */
interface Reply {
  readonly said: Said;
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly facts?: Record<string, unknown>;
}

interface ProviderEvents {
  start: [loginHint: string, atMs: number];
  token: [authReqId: string, atMs: number];
  /** The grant has been used up, and its answer has not gone out. */
  redeemed: [loginHint: string];
}

const cibaGrant = 'urn:openid:params:grant-type:ciba';
/** Calls that arrive so little early are on time: clocks and scheduling differ by that much. */
const toleranceMs = 20;

/**
 * An OpenID Provider with CIBA whose ledger is the truth about prompts and grants: each line is written before its
 * answer goes out. It behaves as oidc-provider does: a grant is used up before the answer, for tokens and for
 * `access_denied`, and a second call with it gets `invalid_grant` and revokes what was granted.
 */
export class LedgerProvider extends EventEmitter<ProviderEvents> {
  /** Set before the first call: the address under which services reach the provider. */
  issuer = '';
  trouble: ProviderTrouble = {};
  readonly #prompts = new Map<string, Prompt>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #drops = { start: 0, token: 0 };
  readonly #dropped: Record<'start' | 'token', ((atMs: number) => void)[]> = { start: [], token: [] };
  #keys: { readonly kid: string; readonly privateKey: CryptoKey; readonly jwk: JWK }[] = [];
  #server: Server | null = null;
  #pings = 0;

  private constructor(private readonly options: ProviderOptions) {
    super();
  }

  static async start(options: ProviderOptions): Promise<LedgerProvider> {
    const provider = new LedgerProvider(options);
    await provider.rotateKeys();
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      provider.#receive(request, response).catch(() => response.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    provider.#server = server;
    return provider;
  }

  get port(): number {
    return (this.#server!.address() as AddressInfo).port;
  }

  /** Signs with a new key from now on; the old one stays published. */
  async rotateKeys(): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const kid = randomUUID();
    this.#keys.push({ kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } });
  }

  /**
   * Cuts the connection in place of the n-th answer from now to a start call, or the n-th answer that uses a grant up.
   * Answers when it happened; null when it did not in time.
   */
  async drop(kind: 'start' | 'token', nth: number, withinMs: number): Promise<number | null> {
    this.#drops[kind] = nth;
    let timer: NodeJS.Timeout | undefined;
    const happened = new Promise<number>((resolve) => this.#dropped[kind].push(resolve));
    const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), withinMs)));
    const atMs = await Promise.race([happened, late]);
    clearTimeout(timer);
    this.#drops[kind] = 0;
    this.#dropped[kind].length = 0;
    return atMs;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
    switch (new URL(request.url ?? '/', 'http://provider').pathname) {
      case '/.well-known/openid-configuration':
        return respond(response, 200, this.#metadata());
      case '/jwks':
        return respond(response, 200, { keys: this.#keys.map(({ jwk }) => jwk) });
      case '/backchannel':
        return this.#answer('start', response, form, this.#client(request.headers.authorization));
      case '/token':
        return this.#answer('token', response, form, this.#client(request.headers.authorization));
      default:
        return respond(response, 404, {});
    }
  }

  async #answer(
    kind: 'start' | 'token',
    response: ServerResponse,
    form: URLSearchParams,
    client: ProviderClient | null,
  ): Promise<void> {
    const atMs = Date.now();
    const { status, retryAfterSeconds, slowMs } = this.trouble;
    const known = kind === 'token' ? this.#prompts.get(form.get('auth_req_id') ?? '') : undefined;
    if (known) this.emit('token', known.authReqId, atMs);
    const reply =
      status === undefined
        ? kind === 'start'
          ? this.#start(form, client)
          : await this.#redeem(form, client, atMs)
        : unavailable(status, retryAfterSeconds ?? null);
    const usesUp = kind === 'start' ? reply.said === 'acknowledged' : ['tokens', 'access_denied'].includes(reply.said);
    const cut = usesUp && this.#drops[kind] > 0 && --this.#drops[kind] === 0;
    const prompt = known ?? this.#prompts.get((reply.body['auth_req_id'] as string | undefined) ?? '');
    this.options.ledger.write({
      kind,
      atMs,
      authReqId: prompt?.authReqId ?? form.get('auth_req_id'),
      loginHint: prompt?.loginHint ?? form.get('login_hint') ?? undefined,
      clientId: client?.clientId ?? undefined,
      bindingMessage: form.get('binding_message') ?? undefined,
      said: reply.said,
      ...reply.facts,
      delivered: cut ? false : null,
    });
    if (kind === 'start' && prompt) this.emit('start', prompt.loginHint, atMs);
    if (usesUp && kind === 'token' && prompt) this.emit('redeemed', prompt.loginHint);
    const delayMs = (slowMs ?? 0) + (usesUp && kind === 'token' ? (prompt?.plan.redeemDelayMs ?? 0) : 0);
    if (delayMs > 0) await pause(delayMs, undefined, { ref: false });
    if (!cut) return respond(response, reply.status, reply.body, reply.headers);
    response.socket?.resetAndDestroy();
    for (const tell of this.#dropped[kind].splice(0)) tell(atMs);
  }

  #start(form: URLSearchParams, client: ProviderClient | null): Reply {
    if (client === null) return refusal('refused', 401, 'invalid_client');
    const loginHint = form.get('login_hint') ?? '';
    const plan = this.options.person(loginHint);
    if (plan === null) return refusal('refused', 400, 'unknown_user_id');
    const { expiresInSeconds, intervalSeconds, mode } = client;
    const authReqId = `${this.options.markers.authReqId}-${randomBytes(18).toString('base64url')}`;
    const prompt: Prompt = {
      authReqId,
      loginHint,
      client,
      notificationToken: mode === 'ping' ? form.get('client_notification_token') : null,
      plan,
      expiresAtMs: Date.now() + expiresInSeconds * 1000,
      answer: null,
      used: false,
      intervalMs: intervalSeconds * 1000,
      lastCallMs: 0,
      slowDownsLeft: plan.slowDowns,
      hurries: 0,
    };
    this.#prompts.set(authReqId, prompt);
    if (plan.person !== 'silent') this.#after(plan.afterMs, () => this.#personAnswers(prompt));
    return {
      said: 'acknowledged',
      status: 200,
      body: { auth_req_id: authReqId, expires_in: expiresInSeconds, interval: intervalSeconds },
      facts: { expiresInSeconds, intervalMs: prompt.intervalMs },
    };
  }

  async #redeem(form: URLSearchParams, client: ProviderClient | null, atMs: number): Promise<Reply> {
    if (client === null) return refusal('refused', 401, 'invalid_client');
    const prompt = this.#prompts.get(form.get('auth_req_id') ?? '');
    if (form.get('grant_type') !== cibaGrant) return refusal('refused', 400, 'unsupported_grant_type');
    if (!prompt || prompt.client !== client) return refusal('invalid_grant', 400, 'invalid_grant');
    if (prompt.used) {
      this.options.ledger.write({ kind: 'revoked', atMs, authReqId: prompt.authReqId, said: 'none', delivered: null });
      return refusal('invalid_grant', 400, 'invalid_grant');
    }
    const soon = prompt.lastCallMs > 0 && atMs - prompt.lastCallMs < prompt.intervalMs - toleranceMs;
    const early = soon && prompt.hurries === 0;
    if (soon && !early) prompt.hurries--;
    prompt.lastCallMs = atMs;
    if (early || prompt.slowDownsLeft > 0) {
      prompt.slowDownsLeft = Math.max(0, prompt.slowDownsLeft - 1);
      prompt.intervalMs += 5_000;
      return { ...refusal('slow_down', 400, 'slow_down'), facts: { intervalMs: prompt.intervalMs, early } };
    }
    if (atMs >= prompt.expiresAtMs) return refusal('expired_token', 400, 'expired_token');
    if (prompt.answer === null) {
      return { ...refusal('pending', 400, 'authorization_pending'), facts: { intervalMs: prompt.intervalMs } };
    }
    prompt.used = true;
    if (prompt.answer === 'deny') return refusal('access_denied', 400, 'access_denied');
    return this.#tokens(prompt);
  }

  async #tokens({ loginHint, client }: Prompt): Promise<Reply> {
    const key = this.#keys.at(-1)!;
    const now = Math.floor(Date.now() / 1000);
    const sub = createHash('sha256').update(loginHint).digest('base64url');
    const idToken = await new SignJWT({ sub, auth_time: now, amr: ['hwk'], jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid })
      .setIssuer(this.issuer)
      .setAudience(client.clientId)
      .setIssuedAt(now)
      .setExpirationTime(now + 300)
      .sign(key.privateKey);
    const accessToken = `${this.options.markers.accessToken}-${randomBytes(18).toString('base64url')}`;
    return {
      said: 'tokens',
      status: 200,
      body: { access_token: accessToken, token_type: 'Bearer', expires_in: 300, id_token: idToken },
      facts: { idTokenSha256: createHash('sha256').update(idToken).digest('base64url'), sub },
    };
  }

  #personAnswers(prompt: Prompt): void {
    const person = prompt.plan.person;
    if (person === 'silent') return;
    const late = Date.now() >= prompt.expiresAtMs;
    this.options.ledger.write({
      kind: 'person',
      atMs: Date.now(),
      authReqId: prompt.authReqId,
      loginHint: prompt.loginHint,
      person,
      late,
      said: 'none',
      delivered: null,
    });
    if (!late) prompt.answer = person;
    if (prompt.notificationToken === null) return;
    for (let time = 0; time < prompt.plan.pings; time++) this.#after(time * 150, () => void this.#ping(prompt));
  }

  /** One ping (CIBA Core 1.0 §10.2); providers do not repeat what was lost. */
  async #ping(prompt: Prompt): Promise<void> {
    const urls = this.options.notificationUrls();
    const url = `${urls[this.#pings++ % urls.length]!}/v1/ciba/notifications`;
    prompt.hurries = 1;
    this.options.ledger.write({
      kind: 'ping-sent',
      atMs: Date.now(),
      authReqId: prompt.authReqId,
      said: 'none',
      delivered: null,
    });
    await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${prompt.notificationToken!}`, 'content-type': 'application/json' },
      body: JSON.stringify({ auth_req_id: prompt.authReqId }),
      signal: AbortSignal.timeout(10_000),
    })
      .then((answer) => answer.arrayBuffer())
      // A ping that is lost is lost: the request has its fallback polls.
      .catch(() => undefined);
  }

  #after(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }

  #client(authorization = ''): ProviderClient | null {
    const [scheme = '', credentials = ''] = authorization.split(' ');
    if (scheme.toLowerCase() !== 'basic') return null;
    const [id = '', secret = ''] = Buffer.from(credentials, 'base64')
      .toString('utf8')
      .split(':')
      .map(decodeURIComponent);
    return (
      this.options.clients.find(({ clientId, clientSecret }) => clientId === id && clientSecret === secret) ?? null
    );
  }

  #metadata(): Record<string, unknown> {
    const { issuer } = this;
    return {
      issuer,
      token_endpoint: `${issuer}/token`,
      backchannel_authentication_endpoint: `${issuer}/backchannel`,
      jwks_uri: `${issuer}/jwks`,
      grant_types_supported: [cibaGrant],
      backchannel_token_delivery_modes_supported: ['poll', 'ping'],
      token_endpoint_auth_methods_supported: ['client_secret_basic'],
      id_token_signing_alg_values_supported: ['ES256'],
    };
  }
}

const refusal = (said: Said, status: number, error: string): Reply => ({
  said,
  status,
  body: { error },
  facts: { error },
});

const unavailable = (status: number, retryAfterSeconds: number | null): Reply => ({
  said: 'none',
  status,
  body: { error: status === 429 ? 'too_many_requests' : 'server_error' },
  headers: retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) },
  facts: { error: String(status), retryAfterSeconds: retryAfterSeconds ?? undefined },
});

function respond(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(text);
}
