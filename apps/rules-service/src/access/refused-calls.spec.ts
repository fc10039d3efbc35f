import { expect, it } from '@jest/globals';
import { CallOrigins, metrics, silentLog, type Log } from '#lib/runtime';
import { CallAllowance } from '../notifications/call-allowance.js';
import { RefusedCalls, type RefusedCall } from './refused-calls.js';

const call = (over: Partial<RefusedCall> = {}): RefusedCall => ({
  ...{ status: 401, method: 'GET', route: '/v1/rules', source: '192.0.2.1', apiClientId: null, callId: 'call-1' },
  ...over,
});

function listen(): { refused: RefusedCalls; lines: object[] } {
  const lines: object[] = [];
  const log: Log = { ...silentLog, warn: (message, detail) => void lines.push({ message, ...detail }) };
  const allowance = new CallAllowance({ name: 'lines', burst: 2, perSecond: 1, maxCallers: 10 }, () => 0);
  const host = { httpAdapter: undefined as never };
  return { refused: new RefusedCalls(host, new CallOrigins([]), allowance, log), lines };
}

it('stands in the log with who, what and from where', () => {
  const { refused, lines } = listen();
  refused.note(call({ status: 403, apiClientId: 'client-1' }));
  expect(lines).toEqual([{ message: 'A call was refused', ...call({ status: 403, apiClientId: 'client-1' }) }]);
});

it('is counted each time, and fills the log for no source', async () => {
  const { refused, lines } = listen();
  const before = await counted();
  for (let time = 0; time < 5; time++) refused.note(call());
  refused.note(call({ source: '192.0.2.2' }));
  expect(lines).toHaveLength(3);
  expect((await counted()) - before).toBe(6);
});

async function counted(): Promise<number> {
  const metric = await metrics.getSingleMetric('assent_refused_calls_total')?.get();
  return metric?.values.find(({ labels }) => labels['status'] === '401')?.value ?? 0;
}
