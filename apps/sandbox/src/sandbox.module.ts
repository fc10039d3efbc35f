import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { join } from 'node:path';
import { assemble } from './assemble.js';
import { keepIdentity, openIdentity } from './identity.js';
import { listen, listenOnFreePort } from './listeners.js';
import { loadProvider } from './load-provider.js';
import type { SandboxPki } from './pki.js';
import { RowStore } from './row.store.js';
import type { Sandbox, SandboxMtls, SandboxOptions } from './sandbox.js';

export type { Sandbox, SandboxMtls, SandboxOptions } from './sandbox.js';
export type { SandboxClients, SecretClient } from './clients.js';
export type { SandboxLog } from './sandbox-log.js';

/**
 * Starts a real OpenID Provider with CIBA, a phone for each of its people, and a shop that uses Assent.
 * @throws Error when the port is taken, saying what to do, or when the data folder cannot be used
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { host = '127.0.0.1', log = () => undefined, dataDir } = options;
  const url = (options.url ?? `http://${host}:${options.port}`).replace(/\/$/, '');
  const { hostname } = new URL(url);
  const identityPath = dataDir === undefined ? null : join(dataDir, 'sandbox-identity.json');
  const identity = await openIdentity(identityPath, hostname);
  const store = await RowStore.open(dataDir === undefined ? null : join(dataDir, 'sandbox-state.jsonl'));
  const oidcProvider = await loadProvider(log);

  const https = createMtlsServer(identity.pki);
  const mtlsPort = await listenOnFreePort(https, host, [identity.mtlsPort, options.port + 1]);
  await keepIdentity(identityPath, { ...identity, mtlsPort });
  const mtls = describeMtls(`https://${hostname}:${mtlsPort}`, identity.pki);
  const stopping = new AbortController();
  const sandbox = assemble(
    oidcProvider,
    { ...options, log },
    { url, mtls, identity, store, stopping: stopping.signal },
  );

  const http = createServer(sandbox.onRequest);
  https.on('request', sandbox.onMtlsRequest);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all([close(http), close(https)]);
    await store.close();
  };
  try {
    await listen(http, host, options.port);
  } catch (error) {
    await stop();
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    const remedy = 'Stop what listens there, or set ASSENT_SANDBOX_PORT to another one.';
    throw new Error(`Port ${options.port} is in use. ${remedy}`, { cause: error });
  }
  return { ...sandbox.description, provider: sandbox.provider, stop };
}

function createMtlsServer({ authority, server }: SandboxPki): HttpsServer {
  return createHttpsServer({
    cert: server.certificatePem,
    key: server.privateKeyPem,
    ca: authority.certificatePem,
    // A self-signed client certificate is let in here and recognised by its key later.
    requestCert: true,
    rejectUnauthorized: false,
  });
}

function describeMtls(url: string, { authority, client, selfSignedClient }: SandboxPki): SandboxMtls {
  return {
    url,
    caCertificatePem: authority.certificatePem,
    clientCertificatePem: client.certificatePem,
    clientPrivateKeyPem: client.privateKeyPem,
    selfSignedCertificatePem: selfSignedClient.certificatePem,
    selfSignedPrivateKeyPem: selfSignedClient.privateKeyPem,
  };
}

async function close(server: HttpServer | HttpsServer): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
