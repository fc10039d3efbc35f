import { once } from 'node:events';
import type { Server } from 'node:net';

const FIRST_FREE_PORT = 10_000;
const LAST_FREE_PORT = 32_767;
const ATTEMPTS = 50;

/**
 * Listens on exactly this port.
 * @throws Error (EADDRINUSE and the like) when it cannot be had
 */
export async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

/**
 * Listens on the first of the wanted ports that is free, else on any free one below the range that the system gives to
 * outgoing connections, so that it can be had again after a restart; answers which.
 */
export async function listenOnFreePort(
  server: Server,
  host: string,
  wanted: readonly (number | null)[],
): Promise<number> {
  const random = Array.from({ length: ATTEMPTS }, randomPort);
  for (const port of [...wanted, ...random]) {
    if (port === null) continue;
    try {
      await listen(server, host, port);
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Error(`No free port was found on ${host}`);
}

function randomPort(): number {
  return FIRST_FREE_PORT + Math.floor(Math.random() * (LAST_FREE_PORT - FIRST_FREE_PORT + 1));
}
