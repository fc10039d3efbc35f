import { createHash, randomBytes } from 'node:crypto';
import { exchanges, workQueueNames } from '#lib/contracts';
import { deadExchange, deadQueueOf, turnQueue } from './topology.js';

/** The services that come to the broker as users of their own; each name is also that of its consumer group. */
export const brokerServices = ['rules-service', 'ciba-worker', 'poller', 'decision-service'] as const;
export type BrokerService = (typeof brokerServices)[number];

/** What a user may do in a virtual host, as RabbitMQ keeps it: patterns of the names of exchanges and queues. */
export interface BrokerPermissions {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/** How RabbitMQ names the exchange without a name when it asks for rights: what goes straight to a queue. */
const defaultExchange = 'amq.default';
const allExchanges = [...Object.values(exchanges), deadExchange];
const { authorizations, decisions } = exchanges;

interface Needs {
  /** Exchanges that its queues are bound to. */
  readonly hears: readonly string[];
  /** Whether it has queues of its own that survive it, with the copies of what failed. */
  readonly works: boolean;
  /** Queues of others that it takes from. */
  readonly takes: readonly string[];
}

const needs: Readonly<Record<BrokerService, Needs>> = {
  // The office of dead letters takes them out, and puts them back where they came from.
  'rules-service': { hears: [authorizations, decisions], works: false, takes: workQueueNames.map(deadQueueOf) },
  'ciba-worker': { hears: [authorizations], works: true, takes: [] },
  poller: { hears: [authorizations], works: false, takes: [] },
  'decision-service': { hears: [authorizations, decisions], works: true, takes: [] },
};

/**
 * What a service needs: to declare the exchanges and its own queues, to publish what anybody has committed (every process
 * sweeps the outbox), and to consume its own queues. None reads a queue of another, but the dead ones.
 */
export function permissionsOf(service: BrokerService): BrokerPermissions {
  const { hears, works, takes } = needs[service];
  const own = `${escaped(service)}\\..+`;
  const names = (of: readonly string[]) => of.map(escaped);
  const direct = works || takes.length > 0 ? [defaultExchange] : [];
  return {
    configure: anyOf([...names([...allExchanges, turnQueue]), own]),
    write: anyOf([...names([...Object.values(exchanges), ...(works ? [deadExchange] : []), ...direct]), own]),
    read: anyOf([...names([...hears, ...(works ? [deadExchange] : []), ...takes]), own]),
  };
}

const anyOf = (patterns: readonly string[]): string => `^(${patterns.join('|')})$`;
const escaped = (name: string): string => name.replace(/[.#*]/g, String.raw`\$&`);

/** Users, their passwords, and where they are to work. */
export interface BrokerUsers {
  readonly vhost: string;
  readonly users: Readonly<Record<BrokerService, { readonly name: string; readonly password: string }>>;
}

/** The users with their rights as definitions, which `rabbitmqctl import_definitions` and the management API take. */
export function brokerDefinitions({ vhost, users }: BrokerUsers) {
  const entries = brokerServices.map((service) => ({ service, ...users[service] }));
  return {
    users: entries.map(({ name, password }) => ({
      name,
      password_hash: passwordHash(password),
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags: [],
    })),
    permissions: entries.map(({ service, name }) => ({ user: name, vhost, ...permissionsOf(service) })),
  };
}

/** What RabbitMQ keeps of a password: a salt of four bytes, then SHA-256 of salt and password. */
function passwordHash(password: string, salt: Buffer = randomBytes(4)): string {
  const hash = createHash('sha256').update(salt).update(password, 'utf8').digest();
  return Buffer.concat([salt, hash]).toString('base64');
}
