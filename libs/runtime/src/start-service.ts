import { setTimeout as pause } from 'node:timers/promises';
import { routes } from '#lib/contracts';
import type { DynamicModule, LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { CustomStrategy, MicroserviceOptions } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { readiness, type HealthCheck } from './health.js';
import { nestLogger, type Log } from './log.js';
import { metrics } from './metrics.js';
import { ProblemError } from './problem-error.js';
import { addressProblem, ProblemFilter, sendProblem, type Explain } from './problem.filter.js';
import { RegisteredRoutes } from './registered-routes.js';
import { requestIdOf } from './request-id.js';
import { ValidationPipe } from './validation.pipe.js';

export interface ServiceOptions {
  readonly module: DynamicModule;
  /** The transport that brings events to the module's handlers. */
  readonly strategy: CustomStrategy['strategy'] | null;
  /** Port of the HTTP server; 0 takes a free one; null: no HTTP server (a service inside another process). */
  readonly port: number | null;
  readonly host?: string;
  readonly log: Log;
  /**
   * Between the moment at which the service says that it is not ready and the one at which it takes no more calls, in
   * ms: until then whoever passes calls on has noticed. Default 0.
   */
  readonly farewellMs?: number;
  readonly health: readonly HealthCheck[];
  /** True for errors that mean "the database is away": the caller is told to try again (503). */
  readonly isUnavailable: (error: unknown) => boolean;
  /** Further errors that have an answer of their own. */
  readonly explain?: Explain;
}

export interface RunningService {
  /** Where the HTTP server listens; null without one. */
  readonly url: string | null;
  readonly app: NestFastifyApplication;
  /** Stops taking calls and events, finishes what is in flight, then releases what the module holds. */
  stop(): Promise<void>;
}

/** The port is taken by another process. */
export class PortInUse extends Error {
  override readonly name = 'PortInUse';

  constructor(
    readonly port: number,
    /** The variable that chooses it. */
    setting = 'PORT',
  ) {
    super(`Port ${port} is in use. Stop what listens there, or set ${setting} to another one.`);
  }
}

/** Largest body that a route accepts, in bytes, unless the table of routes allows it more. */
const bodyLimit = 262_144;
const bodyLimits = new Map(routes.map(({ path, maxBodyBytes }) => [path, maxBodyBytes]));

/**
 * Starts one service: its HTTP routes, its event handlers, `/health/live`, `/health/ready` and `/metrics`.
 *
 * @throws PortInUse
 */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { log } = options;
  const adapter = new FastifyAdapter({
    bodyLimit,
    skipMiddie: true,
    requestTimeout: 30_000,
    connectionTimeout: 0,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
    genReqId: requestIdOf,
    frameworkErrors: (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(reply, addressProblem(error)),
  });
  const registered = new RegisteredRoutes();
  adapter.getInstance().addHook('onRoute', (route) => {
    registered.add(route);
    const limit = bodyLimits.get(route.url);
    if (limit !== undefined) route.bodyLimit = limit;
  });
  let stopping = false;
  addOperationsRoutes(adapter, options, () => stopping);
  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    logger: startingLogger(log),
    // A call that slipped in on a connection that was kept alive is answered like any other.
    return503OnClosing: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(log, explanation(options), registered));
  app.useGlobalPipes(new ValidationPipe());
  if (options.strategy) {
    app.connectMicroservice<MicroserviceOptions>({ strategy: options.strategy }, { inheritAppConfig: true });
  }
  try {
    await app.init();
    if (options.strategy) await app.startAllMicroservices();
    if (options.port !== null) await app.listen(options.port, options.host ?? '0.0.0.0');
  } catch (error) {
    await app.close().catch(() => undefined);
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw new PortInUse(options.port ?? 0);
    throw error;
  }
  const leave = async (): Promise<void> => {
    stopping = true;
    await pause(options.farewellMs ?? 0);
    // A connection that is kept alive after its last answer would hold up the end until its time-out.
    const hangUp = setInterval(() => adapter.getInstance().server.closeIdleConnections(), 50);
    // Nor may one that says nothing, or stops half-way through a call: nobody times it out once the server closes.
    const cutOff = setTimeout(() => adapter.getInstance().server.closeAllConnections(), cutOffAfterMs);
    await app.close().finally(() => {
      clearInterval(hangUp);
      clearTimeout(cutOff);
    });
  };
  let stopped: Promise<void> | null = null;
  return {
    url: options.port === null ? null : await app.getUrl(),
    app,
    stop: () => (stopped ??= leave()),
  };
}

/** How long calls that have begun may take when the service stops, in ms. */
const cutOffAfterMs = 8_000;

/** Nest also logs what `listen` rejects with; whoever started the service says it once, in words. */
function startingLogger(log: Log): LoggerService {
  const logger = nestLogger(log);
  return {
    ...logger,
    error: (message: unknown, ...rest: unknown[]) => {
      if (!String(message).startsWith('Error: listen ')) logger.error(message, ...rest);
    },
  };
}

const explanation =
  (options: ServiceOptions): Explain =>
  (error) => {
    if (options.isUnavailable(error)) {
      return new ProblemError(
        'database_unavailable',
        'The database is not available just now. Try again in a moment, with the same Idempotency-Key if there was one: a call that broke off may have had its effect.',
        { headers: { 'retry-after': '2' } },
      );
    }
    return options.explain?.(error) ?? null;
  };

// Plain Fastify routes: they work for every service alike, and no guard or pipe of a module stands before them.
function addOperationsRoutes(adapter: FastifyAdapter, options: ServiceOptions, stopping: () => boolean): void {
  const server = adapter.getInstance();
  // Whoever keeps connections alive opens the next one elsewhere.
  server.addHook('onSend', async (_request, reply) => {
    if (stopping()) void reply.header('connection', 'close');
  });
  server.get('/health/live', (_request, reply) => reply.send({ status: 'live' }));
  server.get('/health/ready', async (_request, reply) => {
    const report = await readiness(options.health);
    const status = stopping() ? 'not-ready' : report.status;
    return reply.status(status === 'not-ready' ? 503 : 200).send({ ...report, status });
  });
  server.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.metrics()),
  );
}
