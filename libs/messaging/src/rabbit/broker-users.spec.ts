import { describe, expect, it } from '@jest/globals';
import { workQueueNames } from '#lib/contracts';
import { brokerDefinitions, brokerServices, permissionsOf } from './broker-users.js';

const may = (service: (typeof brokerServices)[number], right: 'configure' | 'write' | 'read', name: string): boolean =>
  new RegExp(permissionsOf(service)[right]).test(name);

describe.each(brokerServices)('%s', (service) => {
  const own = `${service}.authorization.approved`;
  const others = brokerServices.filter((other) => other !== service);

  it('declares and consumes its own queues, with those that belong to them', () => {
    for (const name of [own, `${own}.retry.5000ms`, `${own}.dead`, `${service}.authorization.#.1234.1`]) {
      expect([may(service, 'configure', name), may(service, 'write', name), may(service, 'read', name)]).toEqual([
        true,
        true,
        true,
      ]);
    }
  });

  it('neither declares, fills nor reads a queue of another service', () => {
    for (const other of others) {
      const name = `${other}.authorization.approved`;
      expect([may(service, 'configure', name), may(service, 'write', name), may(service, 'read', name)]).toEqual([
        false,
        false,
        false,
      ]);
    }
  });

  it('takes its turn at dead letters, and reads those of others only where they are shown', () => {
    expect(may(service, 'configure', 'assent.dead-letters.turn')).toBe(true);
    for (const queue of workQueueNames) {
      const mine = service === 'rules-service' || queue.startsWith(`${service}.`);
      expect({ queue, reads: may(service, 'read', `${queue}.dead`) }).toEqual({ queue, reads: mine });
    }
  });

  it('has nothing to do with whatever else is in the virtual host', () => {
    for (const name of ['orders', 'assent.decisions.copy', `x${own}`, 'amq.topic', 'assentXdecisions']) {
      for (const right of ['configure', 'write', 'read'] as const) {
        expect({ name, right, may: may(service, right, name) }).toEqual({ name, right, may: false });
      }
    }
  });
});

it('lets nobody write straight to queues who has none to write to', () => {
  expect(brokerServices.filter((service) => may(service, 'write', 'amq.default'))).toEqual([
    'rules-service',
    'ciba-worker',
    'decision-service',
  ]);
});

it('makes definitions without a password in them', () => {
  const users = Object.fromEntries(
    brokerServices.map((service) => [service, { name: service, password: `password-of-${service}` }]),
  ) as Parameters<typeof brokerDefinitions>[0]['users'];
  const definitions = brokerDefinitions({ vhost: '/', users });
  expect(JSON.stringify(definitions)).not.toContain('password-of');
  expect(definitions.users.map(({ tags }) => tags)).toEqual(brokerServices.map(() => []));
  expect(new Set(definitions.users.map(({ password_hash }) => password_hash)).size).toBe(brokerServices.length);
});
