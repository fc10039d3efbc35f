import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import type { LoadResult } from '../load/main.js';
import type { Outside } from '../outside/main.js';
import type { ReceiverReport } from '../outside/receiver.js';
import type { ProviderReport } from '../outside/stub-provider.js';
import { ProcessorTime } from './processor-time.js';
import { Program } from './program.js';

it('counts at the provider and at the receiver what a load sends, in processes of their own', async () => {
  const outside = await Program.start<Outside>('outside/main.ts', null);
  const load = await Program.start('load/main.ts', null);
  try {
    await outside.call('behave', { approveAfterMs: null, interval: 1, expiresIn: 60, track: true });
    const ids = Array.from({ length: 300 }, (_, at) => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`);
    const send = (url: string, path: string, body: string) =>
      load.call<LoadResult>('load', {
        port: Number(new URL(url).port),
        connections: 8,
        method: 'POST',
        path,
        headers: {},
        body,
        ids,
      });
    const { issuer, receiverUrls } = outside.started;
    const polled = await send(issuer, '/token', 'grant_type=x&auth_req_id={id}&client_id=c');
    expect(polled.statuses).toEqual({ 400: 300 });
    // Again at once: each of them comes before its interval is over.
    await send(issuer, '/token', 'grant_type=x&auth_req_id={id}');
    expect(await outside.call<ProviderReport>('provider')).toMatchObject({ polls: 600, polled: 300, early: 300 });

    const called = await send(receiverUrls[3]!, '/callbacks', '{"data":{"authorizationRequestId":"{id}"}}');
    expect(called.statuses).toEqual({ 204: 300 });
    await outside.call('received', { count: 300, limitMs: 60_000 });
    await send(receiverUrls[4]!, '/callbacks', '{"data":{"authorizationRequestId":"{id}"}}');
    expect(await outside.call<ReceiverReport>('receiver')).toMatchObject({ received: 600, twice: 300 });
    expect(new ProcessorTime({ outside: [outside.pid] }).read()['outside']).toBeGreaterThan(0);
    await expect(load.call('no such command')).rejects.toThrow('no such command');
  } finally {
    await Promise.all([outside.stop(), load.stop()]);
  }
}, 120_000);

it('opens new connections where the server has closed those of the load before', async () => {
  const load = await Program.start('load/main.ts', null);
  const server: Server = createServer((request, response) => void request.resume().on('end', () => response.end()));
  try {
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const what = {
      port,
      connections: 4,
      method: 'POST',
      path: '/',
      headers: {},
      body: '{}',
      ids: ['a', 'b', 'c', 'd'],
    };
    const closed = new Promise<void>((resolve) => {
      let left = 4;
      server.on('connection', (socket) => socket.once('close', () => --left === 0 && resolve()));
    });
    server.keepAliveTimeout = 1;
    expect((await load.call<LoadResult>('load', what)).statuses).toEqual({ 200: 4 });
    await closed;
    expect((await load.call<LoadResult>('load', what, 30_000)).statuses).toEqual({ 200: 4 });
  } finally {
    server.close();
    await load.stop();
  }
}, 120_000);
