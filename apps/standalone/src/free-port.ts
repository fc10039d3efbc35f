import { createServer, type AddressInfo } from 'node:net';

/**
 * A port of this host that nobody listens on. The address of Assent is in what it signs and registers: it is known before
 * anything listens.
 */
export async function freePort(host: string): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, host, resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
