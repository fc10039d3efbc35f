import { afterAll, beforeAll, expect } from '@jest/globals';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { itWithBroker as it } from '../../../../test/support/needs.js';
import { sharedRabbit, type BrokerAccess } from '../../../../test/support/rabbitmq.js';
import { anEvent, aWord, deadLog, Journal, listen } from '../event-bus.contract.js';
import { createRabbitBus, GiveUp } from '../index.js';

/** Messages that no consumer can do anything with: each ends as a dead letter, and takes nobody along. */

const patient = 300_000;
const retryDelaysMs = [5, 10];

let broker: BrokerAccess;
let client: ChannelModel;
let channel: Channel;
beforeAll(async () => {
  broker = await sharedRabbit();
  client = await connect(broker.url);
  channel = await client.createChannel();
}, patient);
afterAll(async () => {
  await client.close();
  await broker.stop();
}, patient);

const event = (change: object): Buffer =>
  Buffer.from(JSON.stringify({ ...anEvent('authorization.poison', 'poison').event, ...change }));

interface Poison {
  readonly body: Buffer;
  readonly reason: RegExp;
  /** How often it is handled or looked at before it is given up. */
  readonly attempts: number;
}

const unreadable = (body: Buffer, reason: RegExp): Poison => ({ body, reason, attempts: 1 });

const cases: readonly (readonly [string, Poison])[] = [
  ['no JSON', unreadable(Buffer.from('hello'), /^Malformed: not JSON$/)],
  ['nothing at all', unreadable(Buffer.alloc(0), /^Malformed: not JSON$/)],
  ['half of an event', unreadable(event({}).subarray(0, 60), /^Malformed: not JSON$/)],
  ['no UTF-8', unreadable(Buffer.from([0xff, 0xfe, 0x7b]), /^Malformed: not JSON$/)],
  ['null', unreadable(Buffer.from('null'), /^Malformed: not a CloudEvent/)],
  ['a list', unreadable(Buffer.from('[]'), /^Malformed: not a CloudEvent/)],
  ['an event of another version', unreadable(event({ specversion: '0.3' }), /specversion/)],
  ['an event without an id', unreadable(event({ id: undefined }), /Malformed: .*id/)],
  ['an event about nothing', unreadable(event({ subject: '' }), /subject/)],
  ['an event of no time', unreadable(event({ time: 'yesterday' }), /time/)],
  ['16 MB', unreadable(Buffer.alloc(16 * 1024 * 1024, 0x20), /longer than 1048576 bytes/)],
  ['what the handler throws on', { body: event({ data: 'throw' }), reason: /^Error: upside down$/, attempts: 3 }],
  ['what the handler throws a text on', { body: event({ data: 'text' }), reason: /^a bare text$/, attempts: 3 }],
  ['what the handler gives up', { body: event({ data: 'give up' }), reason: /^GiveUp: unheard of$/, attempts: 1 }],
];

function handle(payload: unknown): void {
  if (payload === 'throw') throw new Error('upside down');
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a careless handler may do
  if (payload === 'text') throw 'a bare text';
  if (payload === 'give up') throw new GiveUp('unheard of');
}

it.each(cases)(
  '%s: a dead letter with its reason, after bounded attempts, and no neighbour with it',
  async (_, { body, reason, attempts }) => {
    const own = aWord();
    const queue = `${own}.authorization.${own}`;
    const { log, dead } = deadLog();
    const bus = createRabbitBus({ url: broker.url, instanceId: own, log, limits: { retryDelaysMs, reopenMs: 20 } });
    try {
      const handled = new Journal<unknown>();
      await listen(bus, own, `authorization.${own}`, (payload) => {
        handle(payload);
        handled.add(payload);
      });
      await bus.publish(anEvent(`authorization.${own}`, 'before'));
      channel.sendToQueue(queue, body);
      await bus.publish(anEvent(`authorization.${own}`, 'after'));

      expect((await handled.take(2)).sort()).toEqual(['after', 'before']);
      expect((await dead.next()).reason).toMatch(reason);
      const letters = await bus.deadLetters.list([queue], 10);
      expect(letters.map((letter) => [reason.test(letter.reason), letter.attempts])).toEqual([[true, attempts]]);
      expect(letters[0]!.body === body.toString('utf8')).toBe(true);
      expect(handled.unread).toBe(0);
    } finally {
      await bus.close();
    }
  },
  patient,
);
