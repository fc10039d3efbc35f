import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import type { DeadLetterDocument } from '#lib/contracts';
import { AssentClient } from './support/assent-client.js';
import { prepareComposition, type Composition } from './support/composition.js';
import { describeWithBroker } from './support/needs.js';

const queue = 'ciba-worker.authorization.requested';

/** The built command line against built services and a real broker: messages that were given up are seen and dealt with. */
describeWithBroker('assent dead-letters', () => {
  let composition: Composition;
  let client: ChannelModel;
  let channel: Channel;
  beforeAll(async () => {
    composition = await prepareComposition('distributed');
    await composition.start();
    client = await connect(composition.amqpUrl!);
    channel = await client.createChannel();
  }, 360_000);
  afterAll(async () => {
    await client?.close();
    await composition?.stop();
  }, 120_000);

  const assent = (
    args: readonly string[],
    apiKey = composition.apiKey,
  ): Promise<{ code: number; out: string; err: string }> => {
    const main = join(process.cwd(), 'dist/apps/cli/main.js');
    const env = { PATH: process.env['PATH'], ASSENT_URL: composition.url, ASSENT_API_KEY: apiKey };
    return new Promise((resolve) => {
      execFile(process.execPath, [main, 'dead-letters', ...args], { env }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  };
  const listed = async (): Promise<DeadLetterDocument[]> => {
    const { code, out, err } = await assent(['list', '--json']);
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out) as DeadLetterDocument[];
  };
  /** Resolves with what is dead as soon as it is that much: the message itself travels through the worker. */
  const dead = async (count: number): Promise<DeadLetterDocument[]> => {
    const deadline = Date.now() + 60_000;
    let letters = await listed();
    while (letters.length !== count && Date.now() < deadline) letters = await listed();
    expect(letters).toHaveLength(count);
    return letters;
  };

  it('lists, shows, puts back and drops, on the real broker', async () => {
    expect(await assent([])).toMatchObject({ out: 'There are no dead letters.\n', err: '' });

    channel.sendToQueue(queue, Buffer.from('a secret: hunter2'), { persistent: true, messageId: 'first' });
    channel.sendToQueue(queue, Buffer.from('null'), { persistent: true, messageId: 'second' });
    const letters = await dead(2);
    expect(letters.map(({ queue: where, event }) => [where, event])).toEqual([
      [queue, null],
      [queue, null],
    ]);
    const first = letters.find(({ reason }) => reason.includes('not JSON'))!;
    expect(first).toMatchObject({ attempts: 1, bytes: 17 });
    expect(first.ageSeconds).toBeGreaterThanOrEqual(0);

    const text = await assent(['list', '--queue', queue]);
    expect(text.out).toContain(first.id);
    expect(text.out).toContain('2 in all');
    const shown = await assent(['show', first.id]);
    expect(JSON.parse(shown.out)).toMatchObject({ id: first.id, queue });
    // What the message says is nobody's business here.
    expect(text.out + shown.out + JSON.stringify(letters)).not.toContain('hunter2');

    // Put back, it is handled anew, and dies of the same; nothing is lost or doubled on the way.
    expect(await assent(['replay', first.id])).toEqual({ code: 0, out: `Put back: ${first.id}\n`, err: '' });
    expect((await dead(2)).map(({ id }) => id).sort()).toEqual(letters.map(({ id }) => id).sort());
    expect((await assent(['replay', '--all'])).out).toBe('Put back: 2 of 2\n');
    await dead(2);

    expect(await assent(['drop', first.id])).toEqual({ code: 0, out: `Dropped: ${first.id}\n`, err: '' });
    expect((await dead(1))[0]!.id).not.toBe(first.id);
    for (const verb of ['show', 'replay', 'drop']) {
      const { code, err } = await assent([verb, first.id]);
      expect([code, err]).toEqual([1, expect.stringMatching(/no dead letter|not.?found|404/i)]);
    }
  }, 360_000);

  it('is for administrators alone', async () => {
    const anybody = await assent(['list'], 'assent_test_nobody_at_all_nobody_at_all');
    expect(anybody.code).toBe(1);
    const api = new AssentClient(composition.url, composition.apiKey);
    const { status, body } = await api.call('GET', '/v1/dead-letters?queue=elsewhere');
    expect([status, body]).toEqual([400, expect.objectContaining({ code: expect.any(String) })]);
  }, 60_000);
});
