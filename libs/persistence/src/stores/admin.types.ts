import type {
  DisabledReason,
  KeyPair,
  Page,
  PageQuery,
  Scope,
  TokenProviderBody,
  WebhookEventType,
} from '#lib/contracts';
import type { Acting } from '../audit/acting.js';
import type { Entitlements, RejectionHandlerDefinition, RuleDefinition } from '#lib/domain';

/** What every administered object has. */
export interface AdminRow {
  readonly id: string;
  /** Grows with every change; the ETag. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Something that still needs the object that was to be deleted. */
export interface ReferenceUser {
  readonly kind: 'rule' | 'authorization-request';
  readonly id: string;
  readonly name: string;
}

export type CreateResult<Row> =
  | { readonly kind: 'created'; readonly row: Row }
  /** `member`: the property that is unique, where it is not the name. */
  | { readonly kind: 'name-taken'; readonly member?: string }
  /** `member`: the property that names an object which does not exist, for example `tokenProviderId`. */
  | { readonly kind: 'unknown-reference'; readonly member: string };

export type UpdateResult<Row> =
  | { readonly kind: 'updated'; readonly row: Row }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'version-mismatch'; readonly current: Row }
  /** `member`: the property that is unique, where it is not the name. */
  | { readonly kind: 'name-taken'; readonly member?: string }
  | { readonly kind: 'unknown-reference'; readonly member: string }
  | { readonly kind: 'predefined' };

export type DeleteResult<Row> =
  | { readonly kind: 'deleted' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'version-mismatch'; readonly current: Row }
  /** At most ten users are named. */
  | { readonly kind: 'in-use'; readonly users: readonly ReferenceUser[] }
  | { readonly kind: 'predefined' };

/**
 * One kind of administered object. An expected version of null means: whatever the version is. Every change is audited
 * in its transaction, by the name of whoever is acting: the installation itself unless given.
 */
export interface AdminStore<Row extends AdminRow, New, Change = New> {
  create(value: New, acting?: Acting): Promise<CreateResult<Row>>;
  find(id: string, acting?: Acting): Promise<Row | null>;
  /** Oldest first. */
  list(query: PageQuery): Promise<Page<Row>>;
  /** Replaces the whole value; a write-only member that is absent or null stays. */
  update(id: string, expectedVersion: number | null, value: Change, acting?: Acting): Promise<UpdateResult<Row>>;
  delete(id: string, expectedVersion: number | null, acting?: Acting): Promise<DeleteResult<Row>>;
}

export type TokenProviderValue = TokenProviderBody;
export interface ProviderDiscoveryState {
  readonly state: 'not-tried' | 'ok' | 'failed' | 'explicit';
  readonly checkedAt: Date | null;
  readonly problem: string | null;
}
export interface TokenProviderRow extends AdminRow, TokenProviderValue {
  readonly discovery: ProviderDiscoveryState;
}
export interface TokenProviderStore extends AdminStore<TokenProviderRow, TokenProviderValue> {
  findByName(name: string, acting?: Acting): Promise<TokenProviderRow | null>;
  /** Notes what a look at the provider found; the version stays. Does nothing when the provider is gone. */
  recordDiscovery(id: string, discovery: ProviderDiscoveryState): Promise<void>;
}

/** What is known of a certificate, as the API shows it. */
export type KeyPairFacts = Pick<
  KeyPair,
  | 'subject'
  | 'issuer'
  | 'serialNumber'
  | 'notBefore'
  | 'notAfter'
  | 'keyAlgorithm'
  | 'sha256Fingerprint'
  | 'subjectAlternativeNames'
  | 'warnings'
>;
export interface NewKeyPair {
  readonly alias: string;
  /** The certificate first, then its chain. */
  readonly certificateChainPem: readonly string[];
  readonly privateKeyPem: string;
  readonly facts: KeyPairFacts;
}
export interface KeyPairRow extends AdminRow {
  readonly alias: string;
  readonly certificateChainPem: readonly string[];
  readonly facts: KeyPairFacts;
}
export interface KeyPairUser {
  readonly keyPairId: string;
  readonly rule: { readonly id: string; readonly name: string };
  readonly tokenProvider: { readonly id: string; readonly name: string };
}
export interface KeyPairStore extends AdminStore<KeyPairRow, NewKeyPair, { readonly alias: string }> {
  /** By alias. */
  findByName(alias: string, acting?: Acting): Promise<KeyPairRow | null>;
  /** The private key, to ask an authority for a certificate with; it never leaves the process. */
  privateKey(id: string): Promise<string | null>;
  /** Puts another certificate of the same key in the place of the present one. */
  replaceCertificate(
    id: string,
    expectedVersion: number | null,
    certified: Pick<NewKeyPair, 'certificateChainPem' | 'facts'>,
    acting?: Acting,
  ): Promise<UpdateResult<KeyPairRow>>;
  /** Puts another key, with its certificate, in the place of the present one. */
  replaceKey(
    id: string,
    expectedVersion: number | null,
    certified: Omit<NewKeyPair, 'alias'>,
    acting?: Acting,
  ): Promise<UpdateResult<KeyPairRow>>;
  /** The rules that come with these key pairs, and whom they ask, by the name of the rule. */
  usersOf(ids: readonly string[]): Promise<KeyPairUser[]>;
}

export interface RejectionHandlerValue {
  readonly name: string;
  readonly definition: RejectionHandlerDefinition;
}
export interface RejectionHandlerRow extends AdminRow, RejectionHandlerValue {
  readonly predefined: boolean;
}
export interface RejectionHandlerStore extends AdminStore<RejectionHandlerRow, RejectionHandlerValue> {
  findByName(name: string, acting?: Acting): Promise<RejectionHandlerRow | null>;
}

export interface RuleValue {
  readonly definition: RuleDefinition;
  /** Null: no secret at creation; at a change, the secret that is stored stays. */
  readonly clientSecret: string | null;
}
export interface RuleRow extends AdminRow {
  readonly definition: RuleDefinition;
  readonly clientSecretSetAt: Date | null;
}
/** A rule as a submission needs it; up to one second old. */
export interface RuleForSubmit {
  readonly id: string;
  readonly version: number;
  readonly definition: RuleDefinition;
  readonly provider: {
    readonly id: string;
    readonly issuer: string;
    readonly profile: TokenProviderBody['profile'];
  };
}
export interface RuleStore extends AdminStore<RuleRow, RuleValue> {
  findByName(name: string, acting?: Acting): Promise<RuleRow | null>;
  /** The rules that ask this provider, oldest first. */
  ofTokenProvider(tokenProviderId: string, limit: number): Promise<RuleRow[]>;
  findForSubmit(idOrName: string): Promise<RuleForSubmit | null>;
  /** Whether this is the client secret that the rule has; false also when the stored one does not open. */
  isClientSecret(id: string, secret: string): Promise<boolean>;
}

export interface ApiClientValue extends Entitlements {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly enabled: boolean;
  /** Null: as configured; 0: no limit. */
  readonly requestsPerMinute: number | null;
  /** When the key ends; null: never. */
  readonly expiresAt: Date | null;
  /** Whose access tokens are credentials of this client beside its key; unique. */
  readonly oauthClient: OauthClientName | null;
}
/** A client as its authorization server names it. */
export interface OauthClientName {
  readonly issuer: string;
  readonly clientId: string;
}
export interface NewApiClient extends ApiClientValue {
  /** SHA-256 of the key; the key itself is never stored. */
  readonly keyHash: Buffer;
  readonly keyPrefix: string;
  readonly callbackSecret: string | null;
}
export interface ApiClientChange extends ApiClientValue {
  /** Given together with `keyPrefix` when the key changes. */
  readonly keyHash?: Buffer;
  readonly keyPrefix?: string;
  readonly callbackSecret?: string | null;
}
export interface ApiClientRow extends AdminRow, ApiClientValue {
  readonly keyPrefix: string;
  /** The key before the last rotation, and when it ends. */
  readonly previousKey: { readonly prefix: string; readonly expiresAt: Date } | null;
  readonly lastUsedAt: Date | null;
  readonly hasCallbackSecret: boolean;
}
/** A client as it was found by one of its keys. */
export interface ApiClientByKey {
  readonly client: ApiClientRow;
  /** When the key that found it ends; null: never. */
  readonly keyExpiresAt: Date | null;
}
export interface NewKey {
  readonly keyHash: Buffer;
  readonly keyPrefix: string;
  readonly expiresAt: Date | null;
  /** How long the key that is replaced still works. */
  readonly overlapSeconds: number;
}
export interface ApiClientStore extends AdminStore<ApiClientRow, NewApiClient, ApiClientChange> {
  findByName(name: string, acting?: Acting): Promise<ApiClientRow | null>;
  /** By its key or the one before; up to one second old. Whether the key has ended is for the caller to judge. */
  findByKeyHash(keyHash: Buffer): Promise<ApiClientByKey | null>;
  /** By the name that an authorization server knows; up to one second old. */
  findByOauthClient(name: OauthClientName): Promise<ApiClientRow | null>;
  /** Replaces the key; null when there is no such client. */
  rotateKey(id: string, key: NewKey, acting?: Acting): Promise<ApiClientRow | null>;
  /** Whether this is the key that the client has, by its hash. */
  isKey(id: string, keyHash: Buffer): Promise<boolean>;
  /** Whether this is the client's callback secret; false also when the stored one does not open. */
  isCallbackSecret(id: string, secret: string): Promise<boolean>;
  /** Notes when clients last used a key; the version stays. */
  noteUse(uses: ReadonlyMap<string, Date>): Promise<void>;
}

export interface WebhookEndpointValue {
  /** Unique where there is one. */
  readonly name?: string | null;
  readonly url: string;
  readonly events: readonly WebhookEventType[];
  readonly description: string | null;
  readonly enabled: boolean;
}
export interface NewWebhookEndpoint extends WebhookEndpointValue {
  /** `whsec_…` */
  readonly secret: string;
}
export interface WebhookEndpointChange extends WebhookEndpointValue {
  readonly secret?: string | null;
}
export interface WebhookEndpointRow extends AdminRow, WebhookEndpointValue {
  readonly name: string | null;
  /** Why it was disabled without anybody asking for it. */
  readonly disabledReason: DisabledReason | null;
  readonly disabledAt: Date | null;
  /** The first failure since something last arrived. */
  readonly failingSince: Date | null;
  /** Until when deliveries are signed with the secret before the last rotation as well; null: not any more. */
  readonly previousSecretUntil: Date | null;
}
export interface WebhookEndpointStore extends AdminStore<
  WebhookEndpointRow,
  NewWebhookEndpoint,
  WebhookEndpointChange
> {
  /**
   * Replaces the secret. During an overlap that runs the older secret stays, which is the one that the receiver has;
   * an overlap of 0 s ends both. Null when there is no such endpoint.
   */
  rotateSecret(id: string, secret: string, overlapSeconds: number, acting?: Acting): Promise<WebhookEndpointRow | null>;
  /** Whether deliveries are signed with this secret; false also when the stored one does not open. */
  isSecret(id: string, secret: string): Promise<boolean>;
}
