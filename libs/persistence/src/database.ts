import { connect, type Connection } from './connection.js';
import { housekeep } from './housekeeping.js';
import { silent, type PersistenceLog } from './log.js';
import { checkMasterKeys } from './master-key-check.js';
import type { Outbox } from './outbox.types.js';
import { PostgresRequestStore } from './requests/request.store.js';
import type { RequestStore } from './requests/request.types.js';
import { Sealing } from './sealing.js';
import { Sql, statement } from './sql.js';
import type { StoreContext } from './store-context.js';
import type { StoredEvent } from './stored-event.js';
import type {
  ApiClientStore,
  KeyPairStore,
  RejectionHandlerStore,
  RuleStore,
  TokenProviderStore,
  WebhookEndpointStore,
} from './stores/admin.types.js';
import { TypeormApiClientStore } from './stores/api-client.store.js';
import { PostgresDecisionStore } from './stores/decision.store.js';
import { PostgresDeliveryStore } from './stores/delivery.store.js';
import { TypeormKeyPairStore } from './stores/key-pair.store.js';
import { PostgresOutbox } from './stores/outbox.store.js';
import { PostgresRegistrationStore } from './stores/registration.store.js';
import { TypeormRejectionHandlerStore } from './stores/rejection-handler.store.js';
import { RuleVersions } from './stores/rule-versions.js';
import { TypeormRuleStore } from './stores/rule.store.js';
import { PostgresShardStore } from './stores/shard.store.js';
import { PostgresSigningKeyStore } from './stores/signing-key.store.js';
import { TypeormTokenProviderStore } from './stores/token-provider.store.js';
import { TypeormWebhookEndpointStore } from './stores/webhook-endpoint.store.js';
import type {
  DecisionStore,
  DeliveryStore,
  RegistrationStore,
  ShardStore,
  SigningKeyStore,
} from './stores/work.types.js';

export interface DatabaseOptions {
  readonly url: string;
  /** `id:base64(32 bytes)[,id:base64…]`; the first seals, all open. */
  readonly masterKeys: string;
  /** CloudEvents `source` of what this process commits, for example `/assent/poller`. */
  readonly source: string;
  /** Connections at most; 10 unless given. */
  readonly poolSize?: number | undefined;
  readonly log?: PersistenceLog | undefined;
  /** Ends the attempts to reach a server that is away. */
  readonly signal?: AbortSignal | undefined;
}

/** All that Assent keeps: one Postgres database. It recovers by itself when the server was away. */
export class Database {
  readonly outbox: Outbox;
  readonly requests: RequestStore;
  readonly registrations: RegistrationStore;
  readonly shards: ShardStore;
  readonly decisions: DecisionStore;
  readonly deliveries: DeliveryStore;
  readonly signingKeys: SigningKeyStore;
  readonly tokenProviders: TokenProviderStore;
  readonly keyPairs: KeyPairStore;
  readonly rejectionHandlers: RejectionHandlerStore;
  readonly rules: RuleStore;
  readonly webhookEndpoints: WebhookEndpointStore;
  readonly apiClients: ApiClientStore;

  private readonly sql: Sql;
  private readonly listeners: ((events: readonly StoredEvent[]) => void)[] = [];

  private constructor(
    private readonly connection: Connection,
    sealing: Sealing,
    source: string,
    log: PersistenceLog,
  ) {
    this.sql = new Sql(connection.pool);
    const context: StoreContext = {
      sql: this.sql,
      dataSource: connection.dataSource,
      sealing,
      source,
      committed: (events) => this.tell(events, log),
    };
    this.outbox = new PostgresOutbox(this.sql);
    this.requests = new PostgresRequestStore(context, new RuleVersions(this.sql));
    this.shards = new PostgresShardStore(this.sql);
    this.decisions = new PostgresDecisionStore(context);
    this.deliveries = new PostgresDeliveryStore(context);
    this.signingKeys = new PostgresSigningKeyStore(context);
    this.registrations = new PostgresRegistrationStore(context, this.signingKeys);
    this.tokenProviders = new TypeormTokenProviderStore(context);
    this.keyPairs = new TypeormKeyPairStore(context);
    this.rejectionHandlers = new TypeormRejectionHandlerStore(context);
    this.rules = new TypeormRuleStore(context);
    this.webhookEndpoints = new TypeormWebhookEndpointStore(context);
    this.apiClients = new TypeormApiClientStore(context);
  }

  /**
   * Opens the pool and keeps trying while the server is away, until `signal` aborts. Throws `UnsafeDatabase` when
   * migrations are missing or the server could lose commits, `MasterKeyMismatch` when a master key is not the right one.
   */
  static async open(options: DatabaseOptions): Promise<Database> {
    const { url, masterKeys, source, poolSize = 10, log = silent, signal } = options;
    const sealing = Sealing.parse(masterKeys);
    const connection = await connect({ url, applicationName: source.replace(/^\//, ''), poolSize, log, signal });
    const database = new Database(connection, sealing, source, log);
    try {
      await checkMasterKeys(database.sql, sealing);
      return database;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** Rejects when the database does not answer. */
  async ping(): Promise<void> {
    await this.sql.rows(ping);
  }

  async close(): Promise<void> {
    await this.connection.dataSource.destroy();
  }

  /** Calls the listener right after each commit with the events that it stored. */
  onEvents(listener: (events: readonly StoredEvent[]) => void): void {
    this.listeners.push(listener);
  }

  /** Prunes the inbox after 7 days, published events after 30, and access tokens when they expire. */
  async housekeep(): Promise<void> {
    await housekeep(this.sql);
  }

  // What a listener throws must not make a commit look like a failure: the sweep finds the events again.
  private tell(events: readonly StoredEvent[], log: PersistenceLog): void {
    if (events.length === 0) return;
    for (const listener of this.listeners) {
      try {
        listener(events);
      } catch (error) {
        log('error', 'A listener for stored events failed.', { problem: String(error) });
      }
    }
  }
}

const ping = statement('ping', 'select 1');
