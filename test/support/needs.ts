import { existsSync } from 'node:fs';
import { describe, it } from '@jest/globals';

// A test that cannot run says skipped, and never passed. `npm test` installs a broker where it can, and prints the reason
// where it cannot; an address given from outside serves whatever does not have to kill the broker.

const privateBrokerIsThere = existsSync('/usr/lib/rabbitmq/bin/rabbitmq-server');
const brokerIsThere = privateBrokerIsThere || !!process.env.ASSENT_TEST_AMQP_URL;

/** Tests that need a RabbitMQ, whoever runs it; skipped where none can be had. */
export const describeWithBroker = brokerIsThere ? describe : describe.skip;

/** One test of that kind; a file of nothing but these may start the broker in `beforeAll`, which is skipped with them. */
export const itWithBroker = brokerIsThere ? it : it.skip;

/** Tests that start, kill and wipe a RabbitMQ of their own; skipped where none is installed. */
export const describeWithPrivateBroker = privateBrokerIsThere ? describe : describe.skip;

/** One test of that kind. */
export const itWithPrivateBroker = privateBrokerIsThere ? it : it.skip;
