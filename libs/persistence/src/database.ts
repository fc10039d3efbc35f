import { setTimeout as pause } from 'node:timers/promises';
import { AdminTransaction } from './audit/admin-transaction.js';
import { PostgresAuditStore } from './audit/audit.store.js';
import type { AuditStore } from './audit/audit.types.js';
import { connect, type Connection } from './connection.js';
import { PostgresConsoleLoginStore } from './console/console-login.store.js';
import { PostgresConsoleSessionStore } from './console/console-session.store.js';
import type { ConsoleLoginStore, ConsoleSessionStore, OverviewStore } from './console/console.types.js';
import { PostgresOverviewStore } from './console/overview.store.js';
import { isUnavailable, MasterKeyMismatch, UnsafeDatabase } from './errors.js';
import { judgeFitness, type Unfitness } from './fitness.js';
import { housekeep, type HousekeepingOptions } from './housekeeping.js';
import { silent, type PersistenceLog } from './log.js';
import { LookupKey } from './lookup-key.js';
import { checkMasterKeys } from './master-key-check.js';
import { PostgresMasterKeyStore } from './master-keys/master-key.store.js';
import type { Outbox } from './outbox.types.js';
import { PostgresRequestStore } from './requests/request.store.js';
import type { RequestStore } from './requests/request.types.js';
import { Sealing } from './sealing.js';
import { Sql, statement } from './sql.js';
import { inTransaction, type StoreContext } from './store-context.js';
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
import { PostgresClientRefusalStore } from './stores/client-refusal.store.js';
import { PostgresDecisionStore } from './stores/decision.store.js';
import { PostgresDeliveryStore } from './stores/delivery.store.js';
import { PostgresErasureStore } from './stores/erasure.store.js';
import { PostgresEncryptionKeyStore } from './stores/encryption-key.store.js';
import { TypeormKeyPairStore } from './stores/key-pair.store.js';
import { PostgresNoticeStore } from './stores/notice.store.js';
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
  ClientRefusalStore,
  DecisionStore,
  DeliveryStore,
  NoticeStore,
  ErasureStore,
  EncryptionKeyStore,
  MasterKeyStore,
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
  /**
   * Has `open` wait until the database may be used, rather than throw, and is told at each attempt why it may not; with
   * an empty list at the end.
   */
  readonly onUnfit?: ((findings: readonly Unfitness[]) => void) | undefined;
}

const tryAgainMs = 1000;

/** All that Assent keeps: one Postgres database. It recovers by itself when the server was away. */
export class Database {
  readonly outbox: Outbox;
  readonly requests: RequestStore;
  readonly registrations: RegistrationStore;
  readonly clientRefusals: ClientRefusalStore;
  readonly shards: ShardStore;
  readonly decisions: DecisionStore;
  readonly deliveries: DeliveryStore;
  readonly notices: NoticeStore;
  readonly signingKeys: SigningKeyStore;
  readonly encryptionKeys: EncryptionKeyStore;
  readonly tokenProviders: TokenProviderStore;
  readonly keyPairs: KeyPairStore;
  readonly rejectionHandlers: RejectionHandlerStore;
  readonly rules: RuleStore;
  readonly webhookEndpoints: WebhookEndpointStore;
  readonly apiClients: ApiClientStore;
  readonly erasures: ErasureStore;
  readonly masterKeys: MasterKeyStore;
  readonly audit: AuditStore;
  readonly consoleSessions: ConsoleSessionStore;
  readonly consoleLogins: ConsoleLoginStore;
  readonly overview: OverviewStore;

  private readonly context: StoreContext;
  private readonly listeners: ((events: readonly StoredEvent[]) => void)[] = [];

  private constructor(
    private readonly connection: Connection,
    private readonly sql: Sql,
    keys: { readonly sealing: Sealing; readonly lookup: LookupKey },
    source: string,
    log: PersistenceLog,
  ) {
    const context = (this.context = {
      sql: this.sql,
      dataSource: connection.dataSource,
      ...keys,
      source,
      log,
      committed: (events: readonly StoredEvent[]) => this.tell(events, log),
    });
    this.outbox = new PostgresOutbox(this.sql);
    this.requests = new PostgresRequestStore(context, new RuleVersions(this.sql));
    this.shards = new PostgresShardStore(this.sql);
    this.deliveries = new PostgresDeliveryStore(context);
    this.decisions = new PostgresDecisionStore(context, this.deliveries);
    this.notices = new PostgresNoticeStore(context);
    this.signingKeys = new PostgresSigningKeyStore(context);
    this.encryptionKeys = new PostgresEncryptionKeyStore(context);
    this.registrations = new PostgresRegistrationStore(context, this.signingKeys, this.encryptionKeys);
    this.clientRefusals = new PostgresClientRefusalStore(this.sql);
    this.tokenProviders = new TypeormTokenProviderStore(context);
    this.keyPairs = new TypeormKeyPairStore(context);
    this.rejectionHandlers = new TypeormRejectionHandlerStore(context);
    this.rules = new TypeormRuleStore(context);
    this.webhookEndpoints = new TypeormWebhookEndpointStore(context);
    this.apiClients = new TypeormApiClientStore(context);
    this.erasures = new PostgresErasureStore(context);
    this.masterKeys = new PostgresMasterKeyStore(context);
    this.audit = new PostgresAuditStore(context, this.signingKeys);
    this.consoleSessions = new PostgresConsoleSessionStore(context);
    this.consoleLogins = new PostgresConsoleLoginStore(context);
    this.overview = new PostgresOverviewStore(context);
  }

  /**
   * Opens the pool and keeps trying while the server is away, until `signal` aborts. Without `onUnfit` it throws
   * `UnsafeDatabase` when migrations are missing or the server could lose commits, and `MasterKeyMismatch` when a master
   * key is not the right one; a master key that cannot be read is thrown in any case.
   */
  static async open(options: DatabaseOptions): Promise<Database> {
    const { log = silent, signal, onUnfit } = options;
    const sealing = Sealing.parse(options.masterKeys);
    for (let told = false; ;) {
      signal?.throwIfAborted();
      try {
        const database = await Database.openOnce(options, sealing);
        if (told) log('info', 'The database answers.');
        onUnfit?.([]);
        return database;
      } catch (error) {
        if (isUnavailable(error)) {
          if (!told) log('warn', 'The database does not answer; trying until it does.', { problem: String(error) });
          told = true;
        }
        const findings = unfitnessOf(error);
        if (findings === null || (onUnfit === undefined && !isUnavailable(error))) throw error;
        onUnfit?.(findings);
      }
      await pause(tryAgainMs, undefined, signal && { signal });
    }
  }

  private static async openOnce(options: DatabaseOptions, sealing: Sealing): Promise<Database> {
    const { url, source, poolSize = 10, log = silent } = options;
    const connection = await connect({ url, applicationName: source.replace(/^\//, ''), poolSize, log });
    try {
      const findings = await judgeFitness(connection.pool);
      if (findings.length > 0) throw new UnsafeDatabase(findings);
      const sql = new Sql(connection.pool);
      await checkMasterKeys(sql, sealing);
      return new Database(connection, sql, { sealing, lookup: await LookupKey.load(sql, sealing) }, source, log);
    } catch (error) {
      await connection.dataSource.destroy();
      throw error;
    }
  }

  /** Looks again at what `open` has looked at; answers what is wrong by now. Rejects when the database does not answer. */
  judge(): Promise<Unfitness[]> {
    return judgeFitness(this.connection.pool);
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

  /**
   * Does several changes of administered objects in one transaction: all of them, or, when `work` rejects, none. `work`
   * may run several times, and has no effect but in the transaction.
   */
  administer<Result>(work: (transaction: AdminTransaction) => Promise<Result>): Promise<Result> {
    return inTransaction(this.context, (manager) => work(new AdminTransaction(manager)));
  }

  /**
   * As `administer`, while nobody else changes an administered object: what `work` reads by whatever connection stays as
   * it is. Readers go on; whoever wants to change something waits.
   */
  administerAlone<Result>(work: (transaction: AdminTransaction) => Promise<Result>): Promise<Result> {
    return this.administer(async (transaction) => {
      await transaction.manager.query(holdAdministered);
      return work(transaction);
    });
  }

  /** Prunes what has served its time, and access tokens when they expire. */
  async housekeep(options: HousekeepingOptions = {}): Promise<void> {
    await housekeep(this.context, options);
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

/** What an operator can mend; null for everything else. */
function unfitnessOf(error: unknown): readonly Unfitness[] | null {
  if (error instanceof UnsafeDatabase) return error.findings;
  if (error instanceof MasterKeyMismatch) {
    const whatToDo =
      'Give ASSENT_MASTER_KEYS every key that has sealed something in this database, under its own id, and start again.';
    return [{ check: 'master-keys', reason: error.message, whatToDo }];
  }
  return isUnavailable(error) ? [databaseAway] : null;
}

const databaseAway: Unfitness = {
  check: 'database',
  reason: 'the database does not answer',
  whatToDo: 'See that Postgres runs, that DATABASE_URL names it and that this machine reaches it.',
};

// Whoever locks a row in order to change it waits as well, or each would hold what the other wants; readers go on. What refers
// to others comes before them, as where a rule is made.
const holdAdministered = /* sql */ `
  lock table rules, api_clients, webhook_endpoints, key_pairs, rejection_handlers, token_providers in exclusive mode`;
