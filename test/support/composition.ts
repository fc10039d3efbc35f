import { randomBytes, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noPromptLimits } from './no-prompt-limits.js';
import { limitedDatabaseUrls } from './limited-database-urls.js';
import { freshDatabase } from './postgres.js';
import { sharedRabbit } from './rabbitmq.js';
import { freeConsecutivePorts } from './rabbitmq-ports.js';
import { ServiceProcess } from './service-process.js';

/** The two ways in which Assent runs; every promise holds in both. */
export const compositionKinds = ['standalone', 'distributed'] as const;
export type CompositionKind = (typeof compositionKinds)[number];

export const serviceNames = ['rules-service', 'ciba-worker', 'poller', 'decision-service'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** A whole Assent of built services, with a database (and a broker) of its own. */
export interface Composition {
  readonly kind: CompositionKind;
  /** Where clients reach the API. */
  readonly url: string;
  readonly apiKey: string;
  readonly databaseUrl: string;
  /** The broker's address; null where events stay inside one process. */
  readonly amqpUrl: string | null;
  /** What a service is told of database and broker; the same for all where everything is one process. */
  access(service: ServiceName): { readonly databaseUrl: string; readonly amqpUrl: string | null };
  /** Starts everything; called once. */
  start(): Promise<void>;
  /** The process that runs a service: the same one for all where everything is one process. */
  process(service: ServiceName): ServiceProcess;
  /** The further processes that were asked for, in that order. */
  readonly replicas: readonly ServiceProcess[];
  stop(): Promise<void>;
}

/** What a test brings itself, because it wants to break it. */
export interface CompositionParts {
  readonly env?: Readonly<Record<string, string>>;
  readonly database?: { readonly url: string; drop(): Promise<void> };
  readonly broker?: { readonly url: string; stop(): Promise<void> };
  /** Services of which a distributed composition has one more process. */
  readonly replicas?: readonly ServiceName[];
}

/**
 * Prepares a composition; `start` brings it up. The port is known before, so that a sandbox can be told about it. Services
 * of their own have no more rights in database and broker than they need, unless the test brings these itself.
 */
export async function prepareComposition(kind: CompositionKind, own: CompositionParts = {}): Promise<Composition> {
  const database = own.database ?? (await freshDatabase());
  const ourBroker = kind === 'distributed' && own.broker === undefined ? await sharedRabbit() : null;
  const broker = kind === 'distributed' ? (own.broker ?? ourBroker) : null;
  const roles = kind === 'distributed' && own.database === undefined ? await limitedDatabaseUrls(database.url) : null;
  const apiKey = `assent_test_${randomBytes(24).toString('base64url')}`;
  const { replicas = [] } = own;
  const port = await freeConsecutivePorts(serviceNames.length + replicas.length);
  const url = `http://127.0.0.1:${port}`;
  const env: Record<string, string> = {
    DATABASE_URL: database.url,
    ASSENT_MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ASSENT_API_KEY: apiKey,
    ASSENT_PUBLIC_URL: url,
    ASSENT_ALLOW_LOOPBACK: 'true',
    ...noPromptLimits,
    HOST: '127.0.0.1',
    // No load balancer has to notice a stop.
    ASSENT_FAREWELL_SECONDS: '0',
    ...(broker && { AMQP_URL: broker.url }),
    ...own.env,
  };
  const access = (service: ServiceName) => ({
    databaseUrl: roles?.urls[service] ?? database.url,
    amqpUrl: ourBroker?.serviceUrls?.[service] ?? broker?.url ?? null,
  });
  const processes =
    kind === 'standalone'
      ? [
          new ServiceProcess('standalone', port, {
            ...env,
            ASSENT_SANDBOX_PORT: '0',
            ASSENT_DATA_DIR: join(tmpdir(), randomUUID()),
          }),
        ]
      : [...serviceNames, ...replicas].map((name, index) => {
          const { databaseUrl, amqpUrl } = access(name);
          const limited = { DATABASE_URL: databaseUrl, AMQP_URL: amqpUrl! };
          return new ServiceProcess(name, port + index, { ...env, ...limited, ...own.env });
        });
  return {
    kind,
    url,
    apiKey,
    databaseUrl: database.url,
    amqpUrl: broker?.url ?? null,
    access,
    start: async () => {
      await Promise.all(processes.map((process) => process.start()));
    },
    process: (service) => (processes.length === 1 ? processes[0]! : processes[serviceNames.indexOf(service)]!),
    replicas: processes.slice(serviceNames.length),
    stop: async () => {
      await Promise.all(processes.map((process) => process.stop()));
      await broker?.stop();
      await database.drop();
      await roles?.drop();
    },
  };
}
