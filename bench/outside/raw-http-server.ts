import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** A request as `startRawHttp` hands it out. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  /** The head as received; look in it with `headerOf`. */
  readonly head: string;
  readonly body: string;
}

/** Answers with the bytes of a whole response, at once or later; null: never. */
export type RawHandler = (request: RawRequest) => string | Promise<string> | null;

/** What a server with mutual TLS needs: its certificate, and the authority that its clients must have theirs from; PEM. */
export interface ServerTls {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly ca: string;
}

/**
 * An HTTP/1.1 server for loads: several times cheaper than `node:http`, so that what stands outside takes little from
 * what is measured. Keep-alive, bodies by Content-Length, one request at a time on a connection.
 */
export async function startRawHttp(
  handler: RawHandler,
  tls?: ServerTls,
): Promise<{ readonly port: number; readonly server: Server }> {
  const serve = (socket: Socket) => serveConnection(socket, handler);
  const server =
    tls === undefined
      ? createServer({ noDelay: true }, serve)
      : createTlsServer(
          {
            noDelay: true,
            cert: tls.certificatePem,
            key: tls.privateKeyPem,
            ca: tls.ca,
            requestCert: true,
            rejectUnauthorized: true,
            minVersion: 'TLSv1.3',
          },
          serve,
        );
  server.listen(0, '127.0.0.1', 8192);
  await new Promise((resolve) => server.once('listening', resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

function serveConnection(socket: Socket, handler: RawHandler): void {
  let received = '';
  socket.setEncoding('latin1');
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    received = received === '' ? chunk : received + chunk;
    for (let request = takeRequest(received); request !== null; request = takeRequest(received)) {
      received = received.slice(request.length);
      const answer = handler(request);
      if (typeof answer === 'string') socket.write(answer, 'latin1');
      else void answer?.then((text) => socket.write(text, 'latin1'));
    }
  });
}

/** Reads the first request of what was received; null when it is not complete yet. */
export function takeRequest(received: string): (RawRequest & { readonly length: number }) | null {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) return null;
  const head = received.slice(0, headEnd);
  const bodyStart = headEnd + 4;
  const length = bodyStart + Number(headerOf(head, 'content-length') ?? 0);
  if (received.length < length) return null;
  const methodEnd = head.indexOf(' ');
  const pathEnd = head.indexOf(' ', methodEnd + 1);
  return {
    method: head.slice(0, methodEnd),
    path: head.slice(methodEnd + 1, pathEnd),
    head,
    body: received.slice(bodyStart, length),
    length,
  };
}

/** A header's value; the name in lower case. */
export function headerOf(head: string, name: string): string | null {
  const at = head.toLowerCase().indexOf(`\r\n${name}:`);
  if (at === -1) return null;
  const end = head.indexOf('\r\n', at + 2);
  return head.slice(at + name.length + 3, end === -1 ? undefined : end).trim();
}

/** A response with a JSON body, as bytes. */
export function jsonResponse(status: number, body: unknown): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}
