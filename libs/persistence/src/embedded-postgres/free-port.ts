import { createServer } from 'node:net';

// Below the ports that the kernel gives to clients: a client redialling a dead port up there can connect to itself.
const lowest = 10_000;
const highest = 32_767;

/** Finds a port of the loopback address on which nobody listens now. */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port between ${lowest} and ${highest} was found.`);
}

/** True when nobody listens on the port now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
