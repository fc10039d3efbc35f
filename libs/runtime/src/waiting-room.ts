import { createServer } from 'node:http';
import type { HealthReport } from './health.js';
import { ProblemError } from './problem-error.js';
import { PortInUse } from './start-service.js';

export interface WaitingRoomOptions {
  readonly port: number;
  readonly host: string;
  /** How the start stands. */
  readonly report: () => HealthReport;
}

/** Answers in the place of a service that cannot start yet. */
export interface WaitingRoom {
  /** Frees the port; resolves when it is free. */
  close(): Promise<void>;
}

/**
 * Tells whoever asks why a service is not ready, before there is a service: alive, not ready and the reason, and 503 to
 * every other call.
 *
 * @throws PortInUse
 */
export async function openWaitingRoom({ port, host, report }: WaitingRoomOptions): Promise<WaitingRoom> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    const [status, type, body] =
      path === '/health/live'
        ? [200, 'application/json', { status: 'live' }]
        : path === '/health/ready'
          ? [503, 'application/json', { ...report(), status: 'not-ready' }]
          : [503, 'application/problem+json', starting];
    request.resume();
    response.writeHead(status, { 'content-type': type, 'retry-after': '2', connection: 'close' });
    response.end(JSON.stringify(body));
  });
  server.requestTimeout = 5_000;
  server.headersTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new PortInUse(port) : error),
    );
    server.listen(port, host, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const starting = new ProblemError(
  'starting',
  'The service is starting. /health/ready says what it waits for.',
).toProblem();
