import { CibaClient } from '#lib/ciba';
import type { StoredRegistration } from '#lib/persistence';
import { createPollingEngine, type PollingEngine } from '../../test/support/polling-engine.js';
import { serve } from '../harness/serve.js';
import { Gate } from './gate.js';

/** The poller's engine with its own HTTP client, and so many pending requests that no database has to hold. */
export interface EngineConfig {
  readonly issuer: string;
  readonly pending: number;
  /** As many as go out whatever the number of requests: everybody's interval stretches to fit. */
  readonly pollsPerSecond: number;
  readonly inFlight: number;
}

/** What it has done so far. */
export interface EngineReport {
  readonly polls: number;
  /** What each request takes in memory, in bytes, all of it. */
  readonly bytesPerPending: number;
  readonly writes: number;
}

const gate = new Gate();
let engine: PollingEngine;
let polls = 0;
let bytesPerPending = 0;

const usedBytes = (): number => {
  globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

async function start({ issuer, pending, pollsPerSecond, inFlight }: EngineConfig): Promise<void> {
  gate.close();
  const client = new CibaClient({ allowInsecureHttp: true });
  const ciba: Pick<CibaClient, 'poll'> = {
    poll: async (...args) => {
      if (gate.opened !== null) await gate.opened;
      const outcome = await client.poll(...args);
      if (outcome.kind !== 'pending') throw new Error(`a poll was answered ${outcome.kind}`);
      polls++;
      return outcome;
    },
  };
  const limits = {
    maxInFlight: inFlight,
    maxInFlightPerProvider: inFlight,
    pollsPerSecondPerProvider: pollsPerSecond,
  };
  engine = await createPollingEngine(ciba, registrationAt(issuer), limits);
  const before = usedBytes();
  const intervalMs = 50;
  for (let at = 0; at < pending; at++) engine.admit(at, { intervalMs, spreadMs: -intervalMs });
  bytesPerPending = (usedBytes() - before) / pending;
}

const registrationAt = (issuer: string): StoredRegistration => ({
  key: 'rule:1',
  provider: {
    id: 'provider:1',
    issuer,
    metadata: {
      issuer,
      jwks_uri: `${issuer}/jwks`,
      token_endpoint: `${issuer}/token`,
      backchannel_authentication_endpoint: `${issuer}/backchannel`,
      token_endpoint_auth_methods_supported: ['client_secret_basic'],
    },
    trustedCertificates: [],
    profile: 'generic',
  },
  clientId: 'bench-client',
  credentials: { type: 'secret', clientSecret: 'a secret of the benchmark', method: null },
  requestSigning: null,
  fapi: false,
  dpop: false,
  decryptionKeys: [],
  refusedCalls: [],
});

const report = (): EngineReport => ({ polls, bytesPerPending, writes: engine.writes.length });

serve({ start, report, open: () => gate.open(), close: () => gate.close() });
