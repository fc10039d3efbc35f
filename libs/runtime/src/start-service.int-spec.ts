import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { Body, Controller, Get, Module, Post, Query } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { silentLog } from './log.js';
import { ProblemError } from './problem-error.js';
import { PortInUse, startService, type RunningService } from './start-service.js';

const body = z.strictObject({ amount: z.number(), nested: z.strictObject({ 'a/b': z.string() }).optional() });
const query = z.strictObject({ limit: z.coerce.number().int().default(5) });

/** Answers the calls that wait at /slow. */
const slowCalls: Array<() => void> = [];

@Controller()
class PaymentsController {
  @Post('payments')
  pay(@Body({ schema: body }) value: z.infer<typeof body>): unknown {
    return value;
  }

  @Get('payments')
  list(@Query({ schema: query }) value: z.infer<typeof query>): unknown {
    return value;
  }

  @Get('payments/:id')
  show(): unknown {
    return {};
  }

  @Get('slow')
  slow(): Promise<unknown> {
    return new Promise((resolve) => slowCalls.push(() => resolve({ answered: true })));
  }

  @Get('refused')
  refused(): never {
    throw new ProblemError('already_decided', 'It ended.', { headers: { 'retry-after': '7' } });
  }

  @Get('broken')
  broken(): never {
    throw new Error('password=hunter2');
  }

  @Get('away')
  away(): never {
    throw Object.assign(new Error('connect'), { away: true });
  }
}

@Module({ controllers: [PaymentsController] })
class PaymentsModule {}

describe('a running service', () => {
  let service: RunningService;
  let brokerProblem: string | null = null;
  let databaseProblem: string | null = null;

  const problem = (reason: string | null) => (reason === null ? null : { reason, whatToDo: 'Mend it.' });
  const options = (port: number) => ({
    module: { module: PaymentsModule },
    strategy: null,
    port,
    host: '127.0.0.1',
    log: silentLog,
    health: [
      { name: 'database', check: async () => problem(databaseProblem) },
      { name: 'broker', importance: 'degraded' as const, check: async () => problem(brokerProblem) },
    ],
    isUnavailable: (error: unknown) => (error as { away?: boolean }).away === true,
  });

  beforeAll(async () => {
    service = await startService(options(0));
  });
  afterAll(() => service.stop());

  const call = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${service.url}${path}`, init);
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> };
  };
  const post = (text: string, type = 'application/json') =>
    call('/payments', { method: 'POST', body: text, headers: { 'content-type': type } });

  it('names each wrong member of a body by its pointer', async () => {
    const answer = await post('{"amount":"7","nested":{"a/b":1},"extra":true}');
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'invalid_body', status: 422, type: '/docs/errors/invalid_body' });
    const pointers = (answer.body['errors'] as { pointer: string }[]).map((error) => error.pointer);
    expect(pointers).toEqual(expect.arrayContaining(['/amount', '/nested/a~1b']));
  });

  it.each([
    ['PUT', '/payments', 'GET, HEAD, POST'],
    ['DELETE', '/payments/7?force=yes', 'GET, HEAD'],
    ['OPTIONS', '/payments', 'GET, HEAD, POST'],
    ['POST', '/health/live', 'GET, HEAD'],
  ])('says of %s %s which methods there are', async (method, path, allowed) => {
    const answer = await call(path, { method });
    expect(answer.body).toMatchObject({ code: 'method_not_allowed', status: 405 });
    expect(answer.body['detail']).toBe(`This address takes ${allowed} only. See /docs for what there is.`);
    expect(answer.headers.get('allow')).toBe(allowed);
  });

  it('says of no method that it is wrong where there is nothing', async () => {
    for (const path of ['/', '/paymentsx', '/payments/7/more', '/payments/']) {
      expect((await call(path, { method: 'PUT' })).body).toMatchObject({ code: 'not_found', status: 404 });
    }
  });

  it('refuses unknown and wrong query members with 400', async () => {
    expect((await call('/payments?limit=x')).body).toMatchObject({ code: 'invalid_parameter', status: 400 });
    expect((await call('/payments?other=1')).body).toMatchObject({ code: 'invalid_parameter', status: 400 });
    expect((await call('/payments')).body).toEqual({ limit: 5 });
  });

  it.each([
    ['not JSON', '{', 'application/json', 400, 'malformed_body'],
    ['an empty body', '', 'application/json', 400, 'malformed_body'],
    ['a prototype key', '{"__proto__":{"admin":true}}', 'application/json', 400, 'malformed_body'],
    ['a foreign media type', 'a=b', 'application/xml', 415, 'unsupported_media_type'],
    ['1 MB', `{"amount":"${'9'.repeat(1_000_000)}"}`, 'application/json', 413, 'body_too_large'],
  ])('answers %s with a problem document', async (_what, text, type, status, code) => {
    const answer = await post(text, type);
    expect({ status: answer.status, code: answer.body['code'] }).toEqual({ status, code });
  });

  it('tells a refusal with its headers', async () => {
    const answer = await call('/refused');
    expect(answer).toMatchObject({ status: 409, body: { code: 'already_decided', detail: 'It ended.' } });
    expect(answer.headers.get('retry-after')).toBe('7');
  });

  it('tells nothing of an unexpected error', async () => {
    const answer = await call('/broken');
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal_error' } });
    expect(JSON.stringify(answer.body)).not.toContain('hunter2');
  });

  it('answers 503 when the database is away', async () => {
    expect(await call('/away')).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
  });

  it('answers 404 as a problem document', async () => {
    expect(await call('/nowhere')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await call('/%ff')).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
  });

  it('answers an address that no router can read as a problem document', async () => {
    expect(await call('/%zz')).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
    expect(await call(`/payments/${'9'.repeat(300)}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it('is live, ready, degraded or not ready', async () => {
    expect(await call('/health/live')).toMatchObject({ status: 200 });
    expect(await call('/health/ready')).toMatchObject({ status: 200, body: { status: 'ready' } });
    brokerProblem = 'disconnected';
    expect(await call('/health/ready')).toMatchObject({ status: 200, body: { status: 'degraded' } });
    databaseProblem = 'no connection';
    expect(await call('/health/ready')).toMatchObject({ status: 503, body: { status: 'not-ready' } });
    brokerProblem = databaseProblem = null;
  });

  it('shows metrics', async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    expect(text).toContain('process_cpu_seconds_total');
  });

  it('stops although somebody is connected who says nothing, or half of a call', async () => {
    const leaving = await startService(options(0));
    const port = Number(new URL(leaving.url!).port);
    const sockets = ['', 'GET /payments HTTP/1.1\r\nhost: 127.0.0.1\r\n'].map((said) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(said));
      return socket;
    });
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    // A reset ends a connection as well as a farewell does; `once` would take it for a failure.
    const cutOff = sockets.map(
      (socket) => new Promise((resolve) => socket.on('error', () => undefined).on('close', resolve)),
    );
    await leaving.stop();
    await Promise.all(cutOff);
  }, 30_000);

  it('answers what is in flight when it stops, and does not wait for idle connections after that', async () => {
    const leaving = await startService(options(0));
    const called = fetch(`${leaving.url}/slow`);
    while (slowCalls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const stopped = leaving.stop();
    // Only once the server has closed its door does the answer go out.
    while (leaving.app.getHttpServer().listening) await new Promise((resolve) => setImmediate(resolve));
    slowCalls.forEach((answer) => answer());
    expect(await (await called).json()).toEqual({ answered: true });
    await stopped;
  });

  it('says that it leaves before it closes its door, answers until then, and has connections closed', async () => {
    const leaving = await startService({ ...options(0), farewellMs: 2_000 });
    const { port } = new URL(leaving.url!);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const get = (path: string) =>
      new Promise<{ status: number; connection: string | undefined }>((resolve, reject) => {
        request({ port, path, agent, host: '127.0.0.1' }, (answer) => {
          answer
            .resume()
            .on('end', () => resolve({ status: answer.statusCode!, connection: answer.headers.connection }));
        })
          .on('error', reject)
          .end();
      });
    expect(await get('/payments')).toEqual({ status: 200, connection: 'keep-alive' });
    const stopped = leaving.stop();
    expect(await get('/health/ready')).toEqual({ status: 503, connection: 'close' });
    expect(await get('/payments')).toEqual({ status: 200, connection: 'close' });
    expect(leaving.app.getHttpServer().listening).toBe(true);
    await stopped;
    await expect(get('/payments')).rejects.toThrow('ECONNREFUSED');
    agent.destroy();
  });

  it('says that a port is in use', async () => {
    const port = Number(new URL(service.url!).port);
    const logged: string[] = [];
    const log = { ...silentLog, error: (message: string) => void logged.push(message) };
    await expect(startService({ ...options(port), log })).rejects.toThrow(PortInUse);
    expect(logged).toEqual([]);
  });
});
