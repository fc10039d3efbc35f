import type { LookupFunction } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createOutboundGuard } from '#lib/runtime';
import { freeConsecutivePorts } from '../../../../test/support/rabbitmq-ports.js';
import { startWebhookSink, type WebhookSink } from '../../../../test/support/webhook-sink.js';
import { CallbackSender } from './send.js';

const open = createOutboundGuard({ allowLoopback: true, allowedNetworks: [] });
const closed = createOutboundGuard({ allowLoopback: false, allowedNetworks: [] });
const headers = { 'webhook-id': 'msg_1' };

let sink: WebhookSink;
let sender: CallbackSender;
beforeAll(async () => {
  sink = await startWebhookSink();
});
afterAll(() => sink.stop());
beforeEach(() => {
  sender = new CallbackSender({ guard: open });
});
afterEach(() => sender.close());

describe('sending a delivery', () => {
  it('posts the exact bytes as JSON', async () => {
    const answer = await sender.send(`${sink.url}/exact?key=1`, headers, '{"text":"ü €"}');

    expect(answer).toEqual({ status: 204, problem: null, retryAfterSeconds: null });
    const delivery = await sink.next('/exact?key=1');
    expect([delivery.method, delivery.body]).toEqual(['POST', '{"text":"ü €"}']);
    expect(delivery.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Assent',
      'webhook-id': 'msg_1',
      'content-length': '17',
    });
  });

  it.each([200, 201, 202, 299])('takes %i for delivered', async (status) => {
    sink.answer('/ok', { status });

    expect(await sender.send(`${sink.url}/ok`, headers, '{}')).toMatchObject({ status, problem: null });
  });

  it.each([301, 302, 303, 307, 308])('never follows a redirect: %i', async (status) => {
    sink.answer('/moved', { status, headers: { location: `${sink.url}/target` } });
    const answer = await sender.send(`${sink.url}/moved`, headers, '{}');

    expect(answer).toMatchObject({ status, problem: `answered ${status}: redirects are not followed` });
    expect(sink.unread('/target')).toBe(0);
  });

  it.each([400, 404, 410, 500, 502])('takes %i for a failure', async (status) => {
    sink.answer('/no', { status, body: 'no' });

    const answer = await sender.send(`${sink.url}/no`, headers, '{}');
    expect(answer.status).toBe(status);
    expect(answer.problem).toContain(String(status));
  });

  it('hears how long a busy receiver wants to be left alone', async () => {
    sink.answer('/busy', { status: 429, headers: { 'retry-after': '17' } });

    expect((await sender.send(`${sink.url}/busy`, headers, '{}')).retryAfterSeconds).toBe(17);
  });

  it('says so when the connection breaks before an answer', async () => {
    sink.answer('/cut', 'cut');

    expect(await sender.send(`${sink.url}/cut`, headers, '{}')).toEqual({
      status: null,
      problem: 'the connection broke off',
      retryAfterSeconds: null,
    });
  });

  it('counts what was answered when the connection breaks after the status', async () => {
    sink.answer('/half', 'cut-within-body');

    expect(await sender.send(`${sink.url}/half`, headers, '{}')).toMatchObject({ status: 200, problem: null });
  });

  it('does not read a body without end', async () => {
    sink.answer('/endless', 'endless-body');

    expect(await sender.send(`${sink.url}/endless`, headers, '{}')).toMatchObject({ status: 200, problem: null });
  });

  it('says so when the answer is not HTTP', async () => {
    sink.answer('/garbage', 'garbage');

    expect((await sender.send(`${sink.url}/garbage`, headers, '{}')).problem).toBe('the answer is not HTTP');
  });

  it('gives up on a receiver that never answers', async () => {
    const hasty = new CallbackSender({ guard: open, deadlineMs: 100 });
    sink.answer('/hang', 'hang');

    expect((await hasty.send(`${sink.url}/hang`, headers, '{}')).problem).toBe('no answer within 0.1 s');
    await hasty.close();
  });

  it('says so when nobody listens', async () => {
    const port = await freeConsecutivePorts(1);

    expect((await sender.send(`http://127.0.0.1:${port}/`, headers, '{}')).problem).toBe('the connection was refused');
  });

  it('says so when the host does not resolve', async () => {
    const answer = await sender.send('http://nobody.invalid/', headers, '{}');

    expect(answer.status).toBeNull();
    expect(answer.problem).toMatch(/does not resolve/);
  });

  it('cuts off what is in flight when it is closed', async () => {
    sink.answer('/stuck', 'hang');
    const answer = sender.send(`${sink.url}/stuck`, headers, '{}');
    await sink.next('/stuck');
    await sender.close();

    expect((await answer).status).toBeNull();
  });
});

describe('an address that is refused', () => {
  it.each([
    'http://127.0.0.1:1/',
    'https://127.0.0.1/',
    'https://10.0.0.1/',
    'https://[::1]/',
    'https://localhost/',
    'ftp://x/',
    'nonsense',
  ])('is never called: %s', async (url) => {
    const guarded = new CallbackSender({ guard: closed });
    const answer = await guarded.send(url, headers, '{}');

    expect(answer.status).toBeNull();
    expect(answer.problem).toMatch(/^the address is refused: /);
    await guarded.close();
  });

  it('is refused by the connection as well, when its text alone looks harmless', async () => {
    const before = sink.received.length;
    const lookup: LookupFunction = (_host, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]);
    const guard = createOutboundGuard({ allowLoopback: false, allowedNetworks: [], lookup });
    const guarded = new CallbackSender({ guard });
    const answer = await guarded.send(`https://shop.example:${sink.port}/tripwire`, headers, '{}');

    // Where the name leads inside our network is nobody's business.
    expect(answer.problem).toBe('the address is refused: its host is not on the public internet');
    expect(sink.received).toHaveLength(before);
    await guarded.close();
  });
});
