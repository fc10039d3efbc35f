/** The services that come to the database as users of their own. */
export const databaseServices = ['rules-service', 'ciba-worker', 'poller', 'decision-service'] as const;
export type DatabaseService = (typeof databaseServices)[number];

type Privileges = Readonly<Partial<Record<DatabaseService, string>>>;

const everybody = (privileges: string): Privileges =>
  Object.fromEntries(databaseServices.map((service) => [service, privileges]));

/** What the state machine changes in a request; who asks, what is asked and of whom stay as they were stored. */
const movedByTransitions = `update (status, state_version, reason, provider_error, binding_message, request_hash,
  auth_req_id, auth_req_id_sha256, sent_at, expires_at, interval_seconds, evidence, late_evidence, id_token_sha256,
  granted_scope, released_token, released_token_expires_at, consume_by, consumed_at, consumed_by, consume_key, user_code,
  ended_at)`;

/**
 * What each service may do with each table, in the words of GRANT; what does not stand here is refused. Nobody but the
 * migrator owns anything, so nobody else alters, truncates or drops.
 *
 * To lock a row takes the right to update one of its columns: where that is all that is needed, it is a column that no
 * update can change (its check or its key allows one value), or one that housekeeping alone reads.
 */
export const tablePrivileges: Readonly<Record<string, Privileges>> = {
  api_clients: {
    'rules-service': 'select, insert, update, delete',
    // The keys' hashes are not among them.
    'decision-service': 'select (id, name, callback_secret), update (callback_secret)',
  },
  audit_cursor: { 'rules-service': 'select, update (single)', 'decision-service': 'select, update' },
  // Only ever added to. Sealing numbers and hashes; erasure forgets whom an event names; triggers watch over both.
  audit_events: {
    'rules-service': 'select, insert, update (personal, personal_salt)',
    'decision-service': 'select, insert, update (sequence, hash, personal, personal_salt)',
  },
  audit_heads: { 'rules-service': 'select', 'decision-service': 'select, insert' },
  authorization_requests: {
    'rules-service': 'select, insert, update',
    'ciba-worker': `select, ${movedByTransitions}`,
    poller: `select, ${movedByTransitions}`,
    'decision-service': 'select, update, delete',
  },
  client_refusals: {
    'rules-service': 'select, insert, update, delete',
    'ciba-worker': 'select, insert, update, delete',
    poller: 'select, insert, update, delete',
    'decision-service': 'select, update (last_at), delete',
  },
  console_logins: {
    'rules-service': 'select, insert, delete',
    'decision-service': 'select, update (expires_at), delete',
  },
  console_sessions: {
    'rules-service': 'select, insert, update, delete',
    'decision-service': 'select (id, idle_until, expires_at), update (idle_until), delete',
  },
  decisions: {
    'rules-service': 'select, update (document)',
    'decision-service': 'select, insert, update (document), delete',
  },
  deliveries: {
    'rules-service': 'select, insert, update (state, failed_attempts, next_attempt_at, lease_until, url)',
    'decision-service': 'select, insert, update, delete',
  },
  delivery_attempts: {
    'rules-service': 'select, update (problem)',
    'decision-service': 'select, insert, update (problem)',
  },
  encryption_keys: {
    'rules-service': 'select, insert',
    'ciba-worker': 'select',
    poller: 'select',
    'decision-service': 'select, insert, update, delete',
  },
  erasures: { 'rules-service': 'select, insert' },
  held_answers: {
    'rules-service': 'select, insert, delete',
    'ciba-worker': 'select, delete',
    poller: 'select, insert, delete',
    'decision-service': 'select, update (answer)',
  },
  inbox: { 'ciba-worker': 'select, insert', 'decision-service': 'select, insert, update (handled_at), delete' },
  joined_requests: {
    'rules-service': 'select, insert, update (forget_at)',
    'decision-service': 'select, update (forget_at), delete',
  },
  // A key pair that goes takes its rows with it, by the right of their owner.
  key_pair_warnings: { 'decision-service': 'select, insert' },
  key_pairs: {
    'rules-service': 'select, insert, update, delete',
    'ciba-worker': 'select',
    poller: 'select',
    'decision-service': 'select, update (private_key)',
  },
  lookup_keys: everybody('select, insert, update (sealed_key)'),
  master_keys: {
    ...everybody('select, insert'),
    'rules-service': 'select, insert, update (resealed_at), delete',
    'decision-service': 'select, insert, update (resealed_at)',
  },
  migrations: everybody('select'),
  // Every process publishes what it has committed, and sweeps what a dead one has left.
  outbox: {
    ...everybody('select, insert, update (published_at, tried_at)'),
    'rules-service': 'select, insert, update (published_at, tried_at, event)',
    'decision-service': 'select, insert, update (published_at, tried_at, event), delete',
  },
  poller_instances: {
    poller: 'select, insert, update, delete',
    'decision-service': 'select, update (seen_until), delete',
  },
  // All 256 are there: a shard's number is locked with, and cannot become another.
  poller_shards: {
    'rules-service': 'select, update (shard)',
    'ciba-worker': 'select, update (shard)',
    poller: 'select, update',
  },
  prompt_meters: { 'rules-service': 'select, insert, update', 'decision-service': 'select, update (minute), delete' },
  rejection_handlers: { 'rules-service': 'select, insert, update, delete', 'decision-service': 'select' },
  request_timeline: {
    'rules-service': 'select, insert',
    'ciba-worker': 'insert',
    poller: 'insert',
    'decision-service': 'select, insert, delete',
  },
  rule_versions: {
    'rules-service': 'select, insert',
    'ciba-worker': 'select',
    poller: 'select',
    'decision-service': 'select, update (client_secret)',
  },
  rules: { 'rules-service': 'select, insert, update, delete' },
  schema_floor: everybody('select'),
  signing_keys: {
    'rules-service': 'select, insert',
    'ciba-worker': 'select',
    poller: 'select',
    'decision-service': 'select, insert, update, delete',
  },
  start_attempts: {
    'rules-service': 'select, update (closed_at, outcome)',
    'ciba-worker': 'select, insert, update',
    poller: 'select, update (closed_at, outcome)',
    'decision-service': 'select, delete',
  },
  token_providers: {
    'rules-service': 'select, insert, update, delete',
    'ciba-worker': 'select',
    poller: 'select',
  },
  webhook_endpoints: {
    'rules-service': 'select, insert, update, delete',
    'decision-service':
      'select, update (failing_since, enabled, disabled_reason, disabled_at, version, secret, previous_secret)',
  },
  webhook_notices: {
    'rules-service': 'select, insert',
    'decision-service': 'select, insert, update (occurred_at), delete',
  },
};

/** Sequences that somebody reads; what numbers rows needs no right. */
export const sequencePrivileges: Readonly<Record<string, Privileges>> = {
  request_timeline_position_seq: { 'decision-service': 'select' },
};
