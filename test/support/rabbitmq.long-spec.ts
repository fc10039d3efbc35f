import { expect } from '@jest/globals';
import { connect, type ChannelModel } from 'amqplib';
import { itWithPrivateBroker as it } from './needs.js';
import { sharedRabbit, startRabbit } from './rabbitmq.js';

it('survives a kill with what was confirmed, forgets it when wiped, and leaves nothing behind', async () => {
  const rabbit = await startRabbit();
  try {
    await connected(rabbit.url, async (connection) => {
      const channel = await connection.createConfirmChannel();
      await channel.assertQueue('kept', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
      channel.sendToQueue('kept', Buffer.from('precious'), { persistent: true });
      await channel.waitForConfirms();
    });
    await rabbit.kill9();
    await expect(connect(rabbit.url)).rejects.toThrow('ECONNREFUSED');

    await rabbit.restart();
    await connected(rabbit.url, async (connection) => {
      const message = await (await connection.createChannel()).get('kept');
      expect(message && message.content.toString()).toBe('precious');
    });

    await rabbit.wipe();
    expect(await rabbit.ctl(['list_queues', 'name', '--no-table-headers'])).toBe('');
  } finally {
    await rabbit.stop();
  }
  await expect(connect(rabbit.url)).rejects.toThrow('ECONNREFUSED');
}, 180_000);

it('gives each test file a virtual host of its own on the broker of the run', async () => {
  const rabbit = await startRabbit();
  try {
    process.env.ASSENT_TEST_AMQP_URL = rabbit.url;
    process.env.ASSENT_TEST_RABBIT_DIR = rabbit.directory;
    process.env.ASSENT_TEST_RABBIT_PORT = String(rabbit.port);
    const [one, other] = [await sharedRabbit(), await sharedRabbit()];

    await connected(one.url, async (connection) => {
      await (await connection.createChannel()).assertQueue('mine');
    });
    await connected(other.url, async (connection) => {
      const channel = await connection.createChannel();
      channel.on('error', () => {});
      await expect(channel.checkQueue('mine')).rejects.toThrow('404');
    });
    await one.stop();
    await other.stop();
    expect(await rabbit.ctl(['list_vhosts', '--no-table-headers'])).toBe('/\n');
  } finally {
    delete process.env.ASSENT_TEST_AMQP_URL;
    await rabbit.stop();
  }
}, 120_000);

async function connected(url: string, use: (connection: ChannelModel) => Promise<void>): Promise<void> {
  const connection = await connect(url);
  const broken = new Promise<never>((_, reject) => connection.on('error', reject));
  await Promise.race([use(connection), broken]);
  await connection.close();
}
