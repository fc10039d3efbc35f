import { Database, generateMasterKey } from '#lib/persistence';
import { Client } from 'pg';
import { noPromptLimits } from '../support/no-prompt-limits.js';
import { freshDatabase } from '../support/postgres.js';
import { startScriptedProvider, type RecordedCall, type ScriptedProvider } from '../support/scripted-provider.js';
import { ServiceProcess } from '../support/service-process.js';
import { PostgresBarrier } from './postgres-barrier.js';

/** Nobody is there: events wait in the outbox, and the sweeps find what they would have told of. */
const noBroker = 'amqp://127.0.0.1:9';

/** What a house is built with. */
export interface HouseOptions {
  readonly service: string;
  readonly port?: number;
  readonly amqpUrl?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** One service, killed again and again, on a database, a provider and a way to Postgres of its own. */
export interface House {
  readonly service: ServiceProcess;
  readonly provider: ScriptedProvider;
  readonly tokenProviderId: string;
  readonly barrier: PostgresBarrier;
  /** Past the barrier. */
  readonly database: Database;
  readonly look: Client;
  /** The end of what the service has written, for the text of an error. */
  readonly output: () => string;
  /** Ends the process as a power cut would; what was stopped on its way never goes on. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export async function openHouse(options: HouseOptions): Promise<House> {
  const fresh = await freshDatabase();
  const masterKeys = generateMasterKey();
  const database = await Database.open({ url: fresh.url, masterKeys, source: '/assent/test', poolSize: 4 });
  const provider = await startScriptedProvider({ intervalSeconds: 1 });
  const created = await database.tokenProviders.create({
    name: 'P',
    issuer: provider.issuer,
    profile: 'generic',
    metadata: null,
    trustedCertificates: [],
  });
  if (created.kind !== 'created') throw new Error(created.kind);
  const barrier = await PostgresBarrier.open(fresh.url);
  const look = new Client({ connectionString: fresh.url });
  await look.connect();
  const service = new ServiceProcess(options.service, options.port ?? 0, {
    LOG_LEVEL: 'warn',
    HOST: '127.0.0.1',
    DATABASE_URL: barrier.url,
    AMQP_URL: options.amqpUrl ?? noBroker,
    ASSENT_MASTER_KEYS: masterKeys,
    ASSENT_ALLOW_LOOPBACK: 'true',
    // Every statement that is stopped keeps its connection.
    DATABASE_POOL_SIZE: '20',
    ...noPromptLimits,
    ...options.env,
  });
  const kill = async () => {
    await service.kill9();
    barrier.letPass();
  };
  return {
    service,
    provider,
    tokenProviderId: created.row.id,
    barrier,
    database,
    look,
    output: () => service.output.slice(-3000),
    kill,
    close: async () => {
      await kill();
      await provider.stop();
      await barrier.close();
      await look.end();
      await database.close();
      await fresh.drop();
    },
  };
}

/**
 * Holds these calls back until all of them are there, and has them answered while the service stands still: it finds all
 * answers at one moment, and takes them on together. `prepare` is called when all are there.
 */
export function answeredTogether(
  { service }: House,
  count: number,
  isOne: (call: RecordedCall) => boolean,
  prepare: () => Promise<void> = () => Promise.resolve(),
): (call: RecordedCall) => Promise<null> {
  const calls: RecordedCall[] = [];
  let allThere: () => void = () => undefined;
  const gathered = new Promise<void>((resolve) => (allThere = resolve));
  return async (call) => {
    if (calls.length === count || !isOne(call)) return null;
    calls.push(call);
    if (calls.length === count) {
      await prepare();
      service.freeze();
      void Promise.all(calls.map(({ answered }) => answered)).then(() => service.thaw());
      allThere();
    }
    await gathered;
    return null;
  };
}
