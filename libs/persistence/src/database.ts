import type { PersistenceLog } from './log.js';
import type { Outbox } from './outbox.types.js';
import type { RequestStore } from './requests/request.types.js';
import type { StoredEvent } from './stored-event.js';
import type {
  ApiClientStore,
  KeyPairStore,
  RejectionHandlerStore,
  RuleStore,
  TokenProviderStore,
  WebhookEndpointStore,
} from './stores/admin.types.js';
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

/** All that Assent keeps: one Postgres database. */
export class Database {
  declare readonly outbox: Outbox;
  declare readonly requests: RequestStore;
  declare readonly registrations: RegistrationStore;
  declare readonly shards: ShardStore;
  declare readonly decisions: DecisionStore;
  declare readonly deliveries: DeliveryStore;
  declare readonly signingKeys: SigningKeyStore;
  declare readonly tokenProviders: TokenProviderStore;
  declare readonly keyPairs: KeyPairStore;
  declare readonly rejectionHandlers: RejectionHandlerStore;
  declare readonly rules: RuleStore;
  declare readonly webhookEndpoints: WebhookEndpointStore;
  declare readonly apiClients: ApiClientStore;

  static open(_options: DatabaseOptions): Promise<Database> {
    throw new Error('not built yet');
  }

  ping(): Promise<void> {
    throw new Error('not built yet');
  }

  close(): Promise<void> {
    throw new Error('not built yet');
  }

  onEvents(_listener: (events: readonly StoredEvent[]) => void): void {
    throw new Error('not built yet');
  }

  housekeep(): Promise<void> {
    throw new Error('not built yet');
  }
}
