import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import * as openid from 'openid-client';
import { Gate } from '../engine/gate.js';
import { serve } from '../harness/serve.js';

/** openid-client's own polling loop, one for each pending request, begun one after the other within an interval. */
export interface OpenidClientLoops {
  readonly issuer: string;
  readonly pending: number;
  readonly intervalSeconds: number;
}

/** What it has done so far, as `engine/main.ts` tells it. */
export interface LoopsReport {
  readonly polls: number;
  readonly bytesPerPending: number;
}

const gate = new Gate();
let polls = 0;
let bytesPerPending = 0;

const usedBytes = (): number => {
  globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

async function start({ issuer, pending, intervalSeconds }: OpenidClientLoops): Promise<void> {
  const server = { issuer, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` };
  const client = new openid.Configuration(server, 'bench-client', undefined, openid.ClientSecretBasic('a secret'));
  openid.allowInsecureRequests(client);
  // Calls wait at the gate while others are measured.
  client.timeout = 3600;
  const plain = fetch;
  client[openid.customFetch] = async (url, options) => {
    if (gate.opened !== null) await gate.opened;
    polls++;
    return plain(url, options);
  };
  const loop = () =>
    void openid
      .pollBackchannelAuthenticationGrant(client, {
        auth_req_id: randomUUID(),
        expires_in: 86_400,
        interval: intervalSeconds,
      })
      .catch((error: unknown) => {
        console.error(error);
        process.exit(1);
      });
  const before = usedBytes();
  for (let at = 0; at < pending; at++) {
    loop();
    if (at % 50 === 49) await pause((intervalSeconds * 1000 * 50) / pending);
  }
  bytesPerPending = (usedBytes() - before) / pending;
  gate.close();
}

const report = (): LoopsReport => ({ polls, bytesPerPending });

serve({ start, report, open: () => gate.open(), close: () => gate.close() });
