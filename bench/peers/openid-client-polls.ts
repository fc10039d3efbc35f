import { createPrivateKey } from 'node:crypto';
import * as openid from 'openid-client';
import { Agent, fetch } from 'undici';
import { serve } from '../harness/serve.js';
import type { PollingClient } from '../limits/polls.js';

/** One grant request of openid-client after the other, with no schedule: its own client authentication, as it documents it. */
export interface OpenidClientPolls {
  readonly issuer: string;
  readonly inFlight: number;
  readonly client: PollingClient;
}

const grantType = 'urn:openid:params:grant-type:ciba';
let configuration: openid.Configuration;
let inFlight = 0;

async function start({ issuer, inFlight: given, client }: OpenidClientPolls): Promise<void> {
  inFlight = given;
  const server = { issuer, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` };
  configuration = new openid.Configuration(server, 'bench-client', undefined, await authenticationOf(client));
  if (issuer.startsWith('http:')) openid.allowInsecureRequests(configuration);
  if (client.type !== 'mutual-tls') return;
  const { certificatePem: cert, privateKeyPem: key, ca } = client;
  const agent = new Agent({ connect: { cert, key, ca }, connections: inFlight, pipelining: 1 });
  configuration[openid.customFetch] = (url, options) => fetch(url, { ...options, dispatcher: agent });
}

async function authenticationOf(client: PollingClient): Promise<openid.ClientAuth> {
  switch (client.type) {
    case 'secret':
      return openid.ClientSecretBasic('a secret');
    case 'mutual-tls':
      return openid.TlsClientAuth();
    case 'private-key-jwt': {
      const pkcs8 = createPrivateKey(client.privateKeyPem).export({ type: 'pkcs8', format: 'der' });
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
      const key = await crypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8), algorithm, false, ['sign']);
      return openid.PrivateKeyJwt({ key, kid: client.kid });
    }
  }
}

/** Polls for so many seconds; answers how often. */
async function poll(seconds: number): Promise<number> {
  const endAt = performance.now() + seconds * 1000;
  let polls = 0;
  const worker = async () => {
    while (performance.now() < endAt) {
      await one(`request-${polls}`);
      polls++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return polls;
}

async function one(authReqId: string): Promise<void> {
  try {
    await openid.genericGrantRequest(configuration, grantType, { auth_req_id: authReqId });
  } catch (error) {
    if (error instanceof openid.ResponseBodyError && error.error === 'authorization_pending') return;
    throw error;
  }
  throw new Error('a request is not pending');
}

serve({ start, poll });
