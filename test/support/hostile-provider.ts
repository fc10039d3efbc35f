import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import { createCertificateAuthority } from './certificates.js';
import { expand, hostileAnswer, hostileTokens, type AnswerContext } from './hostile-answers.js';
import type { HostileCase, HostileNotification, HostileReply } from './hostile-case.js';
import { listen, readBody, send } from './scripted-provider.js';

type Endpoint = 'discovery' | 'jwks' | 'start' | 'token';
type Transport = NonNullable<HostileCase['tls']> | 'http';

const authReqIdClaim = 'urn:openid:params:jwt:claim:auth_req_id';

/** One provider for all cases at once: each has an issuer of its own, which is a path. */
export interface HostileProvider {
  /** Gives a case its issuer. */
  add(hostileCase: HostileCase): HostileTenant;
  /** The authority that issued the good certificate. */
  readonly authorityPem: string;
  stop(): Promise<void>;
}

/** The provider as one case sees it. */
export interface HostileTenant {
  readonly issuer: string;
  readonly clientId: string;
  /** For the placeholders of what is configured at Assent. */
  readonly context: AnswerContext;
  /** How often each endpoint was called. */
  readonly calls: Readonly<Record<Endpoint, number>>;
  /** Every address that was called, with whatever stands behind its path. */
  readonly addresses: readonly string[];
  /** What became of the notifications, in order: the status wanted and the status received. */
  readonly notified: readonly { readonly wanted: number; readonly received: number }[];
  /** Holds the notifications after the next acknowledgement back until Assent has taken it in. */
  notifyAfter(takenIn: Promise<unknown>): void;
  /** Sends the notifications that wait for the end, and resolves when all have been answered. */
  finish(): Promise<void>;
}

/** Starts the provider, and its https faces. `notificationUrl` is where pings and pushes go. */
export async function startHostileProvider(notificationUrl: string): Promise<HostileProvider> {
  const tenants = new Map<string, Tenant>();
  const listener: RequestListener = (request, response) => {
    const [, name = '', ...rest] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/');
    const tenant = tenants.get(name);
    const answered = tenant ? tenant.receive(rest.join('/'), request, response) : send(response, { status: 404 });
    Promise.resolve(answered).catch((error: unknown) => {
      tenant?.faults.push(String(error));
      request.socket.destroy();
    });
  };
  const [trusted, unknown] = await Promise.all([
    createCertificateAuthority('Hostile authority'),
    createCertificateAuthority('Unknown authority'),
  ]);
  const ip = [{ type: 'ip' as const, value: '127.0.0.1' }];
  const name = [{ type: 'dns' as const, value: 'elsewhere.example' }];
  const [good, expired, wrongName, foreign] = await Promise.all([
    trusted.issue({ commonName: '127.0.0.1', names: ip }),
    trusted.issue({ commonName: '127.0.0.1', names: ip, notAfter: new Date(Date.now() - 60_000) }),
    trusted.issue({ commonName: 'elsewhere.example', names: name }),
    unknown.issue({ commonName: '127.0.0.1', names: ip }),
  ]);
  const https = (of: typeof good, options: TlsOptions = {}) =>
    createHttpsServer({ cert: of.certificatePem, key: of.privateKeyPem, ...options }, listener);
  const servers: Readonly<Record<Transport, Server>> = {
    http: createServer(listener),
    valid: https(good),
    expired: https(expired),
    'wrong-name': https(wrongName),
    'unknown-authority': https(foreign),
    'self-signed': https(foreign),
    'old-protocol': https(good, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    'plain-http': createServer(listener),
  };
  const ports = new Map<Transport, number>();
  for (const [transport, server] of Object.entries(servers) as [Transport, Server][]) {
    // What is wrong with a connection is the other side's to notice.
    server.on('tlsClientError', () => undefined);
    ports.set(transport, await listen(server, undefined));
  }
  const closed = createServer();
  const nowhere = `http://127.0.0.1:${await listen(closed, undefined)}`;
  closed.close();
  return {
    authorityPem: trusted.certificatePem,
    add: (hostileCase) => {
      const transport = hostileCase.tls ?? 'http';
      const path = `case-${tenants.size + 1}`;
      const issuer = `${transport === 'http' ? 'http' : 'https'}://127.0.0.1:${ports.get(transport)}/${path}`;
      const tenant = new Tenant(hostileCase, issuer, path, nowhere, notificationUrl);
      tenants.set(path, tenant);
      return tenant;
    },
    stop: async () => {
      for (const server of Object.values(servers)) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

class Tenant implements HostileTenant {
  readonly calls: Record<Endpoint, number> = { discovery: 0, jwks: 0, start: 0, token: 0 };
  readonly notified: { wanted: number; received: number }[] = [];
  readonly addresses: string[] = [];
  /** Mistakes of a case. */
  readonly faults: string[] = [];
  readonly clientId: string;
  private authReqId = '';
  private notificationToken = '';
  private loginHint = '';
  private firstIdToken: string | null = null;
  private underWay: Promise<void>[] = [];

  constructor(
    private readonly hostileCase: HostileCase,
    readonly issuer: string,
    name: string,
    private readonly nowhere: string,
    private readonly notificationUrl: string,
  ) {
    this.clientId = `client-of-${name}`;
  }

  get context(): AnswerContext {
    const { issuer, clientId, loginHint, authReqId, notificationToken, nowhere, firstIdToken } = this;
    // Where nothing comes to an end by itself, the deadline does it soon.
    const times = { intervalSeconds: 1, expiresInSeconds: 60 };
    return { issuer, clientId, loginHint, authReqId, notificationToken, nowhere, firstIdToken, ...times };
  }

  private takenIn: Promise<unknown> = Promise.resolve();

  async receive(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.addresses.push(request.url ?? '');
    const form = new URLSearchParams(await readBody(request));
    const endpoint = endpointAt(path);
    if (endpoint === null) return send(response, { status: 404, json: {} });
    const position = this.calls[endpoint]++;
    if (endpoint === 'start') {
      this.authReqId = `id-${randomUUID()}`;
      this.loginHint = form.get('login_hint') ?? '';
      this.notificationToken = form.get('client_notification_token') ?? '';
      await this.notify('before-ack');
    }
    const { idToken, ...answer } = hostileAnswer(this.reply(endpoint, position), this.context);
    this.firstIdToken ??= idToken;
    if (answer.delayMs !== undefined) await pause(answer.delayMs, undefined, { ref: false });
    send(response, answer);
    if (endpoint === 'start') this.underWay.push(this.takenIn.then(() => this.notify('after-ack')));
  }

  notifyAfter(takenIn: Promise<unknown>): void {
    this.takenIn = takenIn;
  }

  async finish(): Promise<void> {
    await Promise.all(this.underWay);
    await this.notify('after-end');
    if (this.faults.length > 0) throw new Error(this.faults.join('; '));
  }

  private reply(endpoint: Endpoint, position: number): HostileReply {
    const script = this.hostileCase[endpoint] ?? [];
    const last = script.at(-1);
    const scripted = script[position] ?? (last?.repeat === true ? last : undefined);
    if (scripted !== undefined) return scripted;
    switch (endpoint) {
      case 'discovery':
        return last ?? { metadata: {} };
      case 'jwks':
        return last ?? { keys: ['own'] };
      case 'start':
        return { ack: {} };
      case 'token':
        return script.length === 0 && position === 0 ? { tokens: {} } : { error: 'invalid_grant' };
    }
  }

  private async notify(when: HostileNotification['when']): Promise<void> {
    for (const notification of this.hostileCase.notify ?? []) {
      if (notification.when !== when) continue;
      await pause(notification.afterMs ?? 0);
      const times = Array.from({ length: notification.times ?? 1 });
      const statuses = await Promise.all(times.map(() => this.send(notification)));
      for (const received of statuses) this.notified.push({ wanted: notification.status, received });
    }
  }

  private async send(notification: HostileNotification): Promise<number> {
    const { method = 'POST', authorization = 'Bearer {{notificationToken}}', headers = {} } = notification;
    const body = notification.body === undefined ? JSON.stringify(this.payload(notification)) : notification.body;
    const answer = await fetch(this.notificationUrl, {
      method,
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        ...(authorization !== null && { authorization: String(expand(authorization, this.context)) }),
        ...headers,
      },
      ...(method !== 'GET' && { body: String(expand(body, this.context)) }),
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  private payload({ json, tokens, idToken }: HostileNotification): unknown {
    if (json !== undefined) return expand(json, this.context);
    if (tokens === undefined && idToken === undefined) return { auth_req_id: this.authReqId };
    // In a push these claims are mandatory (CIBA Core 1.0 §10.3.1).
    const claims = { at_hash: { $atHash: 'sha256' }, [authReqIdClaim]: '{{authReqId}}', ...idToken?.claims };
    const changes = { auth_req_id: '{{authReqId}}', ...tokens };
    return hostileTokens(changes, { ...idToken, claims }, this.context).members;
  }
}

/** The issuer's own path comes before the well-known one (OpenID Connect Discovery 1.0 §4). */
function endpointAt(path: string): Endpoint | null {
  switch (path) {
    case '.well-known/openid-configuration':
      return 'discovery';
    case 'jwks':
    case 'start':
    case 'token':
      return path;
    default:
      return null;
  }
}
