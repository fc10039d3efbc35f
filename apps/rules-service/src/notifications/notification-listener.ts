import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { ConfigProblem, PortInUse, ProblemError, sendProblem, type Secret } from '#lib/runtime';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { notificationsUrl } from './notifications-url.js';

/** What the process is told about a listener for notifications alone. */
export interface NotificationListenerConfig {
  readonly HOST?: string | undefined;
  readonly ASSENT_NOTIFICATION_PORT?: number | undefined;
  readonly ASSENT_NOTIFICATION_TLS_CERTIFICATE?: string | undefined;
  readonly ASSENT_NOTIFICATION_TLS_KEY?: Secret | undefined;
  readonly ASSENT_NOTIFICATION_CLIENT_CA?: string | undefined;
}

interface Settings {
  readonly port: number;
  readonly host: string;
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string | null } | null;
}

/**
 * A port for what token providers tell, and for nothing else, so that it can be reached from where the pages for people
 * and the API cannot (CIBA Core 1.0 §9). With a certificate it speaks TLS itself; with authorities for clients, it talks
 * only to whoever shows a certificate of theirs. Without a port, notifications come to the one of the API.
 */
@Injectable()
export class NotificationListener implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #settings: Settings | null;
  readonly #calls = new WeakSet<IncomingMessage>();
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #inFlight = 0;

  /** @throws ConfigProblem when the settings do not fit each other */
  constructor(
    private readonly host: HttpAdapterHost,
    config: NotificationListenerConfig,
  ) {
    this.#settings = settingsOf(config);
  }

  /** A notification that came to the other port finds nothing there. @throws ProblemError `not_found` */
  refuseElsewhere(call: IncomingMessage): void {
    if (this.#settings !== null && !this.#calls.has(call)) throw nothingHere();
  }

  /** @throws PortInUse */
  async onApplicationBootstrap(): Promise<void> {
    const settings = this.#settings;
    if (settings === null) return;
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    // All routes are there by now; this port may open before the other one does.
    await fastify.ready();
    const answer = (call: IncomingMessage, response: ServerResponse): void => {
      if (call.url?.split('?', 1)[0] !== notificationsUrl) return sendProblem(plainReply(response), nothingHere());
      this.#calls.add(call);
      this.#inFlight += 1;
      response.once('close', () => (this.#inFlight -= 1));
      fastify.routing(call, response);
    };
    const server = settings.tls === null ? createServer(answer) : createTlsServer(tlsOptions(settings.tls), answer);
    server.requestTimeout = requestTimeoutMs;
    server.headersTimeout = requestTimeoutMs;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    server.listen(settings.port, settings.host);
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      throw new PortInUse(settings.port, 'ASSENT_NOTIFICATION_PORT');
    }
  }

  /** What is in flight is answered; nothing new is heard. */
  async beforeApplicationShutdown(): Promise<void> {
    const server = this.#server;
    if (!server?.listening) return;
    const closed = once(server, 'close');
    server.close();
    const givenUpAtMs = performance.now() + graceMs;
    // A handshake that never comes is no connection to the server, and a body that never ends stays in flight.
    const cutOff = setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), cutOffAfterMs);
    // A connection that is kept alive after its last answer would hold up the end, and so would one that says nothing.
    const hangUp = setInterval(() => {
      server.closeIdleConnections();
      if (this.#inFlight === 0 && performance.now() > givenUpAtMs) server.closeAllConnections();
    }, 50);
    await closed.finally(() => {
      clearInterval(hangUp);
      clearTimeout(cutOff);
    });
  }
}

/** How long a call that has begun to arrive may take, in ms, when the service stops. */
const graceMs = 1_000;

/** After how long, in ms, whatever is still there is cut off. */
const cutOffAfterMs = 5_000;

/** A notification is small: whoever takes longer to send one, in ms, is not heard out. */
const requestTimeoutMs = 15_000;

function settingsOf(config: NotificationListenerConfig): Settings | null {
  const { HOST: host = '0.0.0.0', ASSENT_NOTIFICATION_PORT: port, ASSENT_NOTIFICATION_CLIENT_CA: ca } = config;
  const cert = config.ASSENT_NOTIFICATION_TLS_CERTIFICATE;
  const key = config.ASSENT_NOTIFICATION_TLS_KEY?.reveal();
  const refuse = (problem: string): never => {
    throw new ConfigProblem(`The configuration does not fit together:\n  ${problem}`);
  };
  if (port === undefined) {
    const alone = [cert, key, ca].some((value) => value !== undefined);
    return alone ? refuse('ASSENT_NOTIFICATION_PORT: is not set; TLS is for a listener of its own.') : null;
  }
  if (cert === undefined && key === undefined) {
    return ca === undefined
      ? { port, host, tls: null }
      : refuse('ASSENT_NOTIFICATION_CLIENT_CA: needs ASSENT_NOTIFICATION_TLS_CERTIFICATE.');
  }
  if (cert === undefined) return refuse('ASSENT_NOTIFICATION_TLS_CERTIFICATE: is not set, and there is a key for it.');
  if (key === undefined) return refuse('ASSENT_NOTIFICATION_TLS_KEY: is not set, and there is a certificate for it.');
  const tls = { cert, key, ca: ca ?? null };
  try {
    createSecureContext(tlsOptions(tls));
  } catch (error) {
    // OpenSSL's words name the trouble and hold nothing of the key.
    return refuse(`ASSENT_NOTIFICATION_TLS_*: certificate and key cannot be used (${(error as Error).message}).`);
  }
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    return refuse('ASSENT_NOTIFICATION_CLIENT_CA: holds no certificate (PEM).');
  }
  return { port, host, tls };
}

const tlsOptions = ({ cert, key, ca }: NonNullable<Settings['tls']>) => ({
  cert,
  key,
  minVersion: 'TLSv1.2' as const,
  ...(ca !== null && { ca, requestCert: true, rejectUnauthorized: true }),
});

const nothingHere = (): ProblemError =>
  new ProblemError('not_found', 'There is nothing at this address. See /docs for what there is.');

type Reply = Parameters<typeof sendProblem>[0];

/** The part of a reply that problem documents need, on a response that no framework has wrapped. */
function plainReply(response: ServerResponse): Reply {
  const reply: Reply = {
    get sent(): boolean {
      return response.headersSent;
    },
    status: (code: number) => {
      response.statusCode = code;
      return reply;
    },
    header: (name: string, value: string) => {
      response.setHeader(name, value);
      return reply;
    },
    send: (body: string) => {
      // The body of the call is not read: the connection has served its time.
      response.setHeader('connection', 'close');
      response.end(body);
      return reply;
    },
  };
  return reply;
}
