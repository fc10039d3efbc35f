import { connect, type ConfirmChannel } from 'amqplib';
import { serve } from '../harness/serve.js';

/** Publishes what it has in memory, with nothing behind it: two batches of confirmations in flight. */
export interface RelayLimit {
  readonly amqpUrl: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly bytes: number;
}

const batchSize = 500;
let channels: ConfirmChannel[];
let config: RelayLimit;

async function start(given: RelayLimit): Promise<void> {
  config = given;
  const connection = await connect(given.amqpUrl, { noDelay: true });
  channels = [await connection.createConfirmChannel(), await connection.createConfirmChannel()];
}

async function publish(count: number): Promise<void> {
  const body = Buffer.alloc(config.bytes, 'x');
  let left = count;
  const lane = async (channel: ConfirmChannel) => {
    while (left > 0) {
      const batch = Math.min(batchSize, left);
      left -= batch;
      for (let at = 0; at < batch; at++) {
        channel.publish(config.exchange, config.routingKey, body, { persistent: true, mandatory: true });
      }
      await channel.waitForConfirms();
    }
  };
  await Promise.all(channels.map(lane));
}

serve({ start, publish });
