import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import type { OriginFact } from './doctor-facts.js';

/**
 * Connects, looks at the server's certificate, and hangs up.
 *
 * @param wantsCertificate whether the server may refuse us for showing no certificate of ours, which says nothing
 * against it.
 */
export async function inspectOrigin(
  connect: buildConnector.connector,
  origin: string,
  timeoutMs: number,
  wantsCertificate: boolean,
): Promise<OriginFact> {
  const { hostname, host, protocol, port } = new URL(origin);
  let deadline: NodeJS.Timeout | undefined;
  let late = false;
  const reached = new Promise<Socket>((resolve, reject) => {
    deadline = setTimeout(() => {
      late = true;
      reject(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    connect({ hostname, host, protocol, port: port || (protocol === 'https:' ? '443' : '80') }, (error, socket) => {
      if (error !== null) return reject(error);
      // A server may still refuse us after its own part of the handshake is done; that is of no interest here.
      socket.on('error', () => undefined);
      if (late) socket.destroy();
      else resolve(socket);
    });
  });
  try {
    const socket = await reached;
    const notAfter = socket instanceof TLSSocket ? new Date(socket.getPeerCertificate().valid_to) : null;
    socket.destroy();
    return { kind: 'reached', origin, notAfter };
  } catch (error) {
    const { code = 'connection failed' } = error as NodeJS.ErrnoException;
    if (wantsCertificate && /^ERR_SSL_.*ALERT/.test(code)) return { kind: 'reached', origin, notAfter: null };
    return { kind: 'unreachable', origin, code };
  } finally {
    clearTimeout(deadline);
  }
}
