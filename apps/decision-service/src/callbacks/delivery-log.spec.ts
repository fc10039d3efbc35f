import { describe, expect, it } from '@jest/globals';
import type { Database, DeliveryResult } from '#lib/persistence';
import { silentLog } from '#lib/runtime';
import { DeliveryLog } from './delivery-log.js';

const result = (id: string): DeliveryResult => ({
  id,
  at: new Date(0),
  durationMs: 1,
  status: 204,
  problem: null,
  outcome: 'delivered',
});

/** A database whose statements end, or fail, as the test says. */
function statements(run: (batch: readonly string[], number: number) => Promise<void>) {
  const batches: string[][] = [];
  const deliveries = {
    finish: (results: readonly DeliveryResult[]) => {
      batches.push(results.map(({ id }) => id));
      return run(batches.at(-1)!, batches.length).then(() => []);
    },
  } as Pick<Database['deliveries'], 'finish'> as Database['deliveries'];
  return { batches, log: new DeliveryLog({ database: { deliveries }, log: silentLog, pauseMs: 0 }) };
}

describe('the results of deliveries', () => {
  it('that arrive during a statement go together with the next', async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const { batches, log } = statements((_, number) => (number === 1 ? gate : Promise.resolve()));
    const writes = ['a', 'b', 'c'].map((id) => log.write(result(id)));
    open();
    await Promise.all(writes);

    expect(batches).toEqual([['a'], ['b', 'c']]);
  });

  it('are not settled before they are committed', async () => {
    let open = (): void => undefined;
    const { log } = statements(() => new Promise((resolve) => (open = resolve)));
    let settled = false;
    const write = log.write(result('a')).then(() => (settled = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);

    open();
    await write;
    expect(settled).toBe(true);
  });

  it('are written again when the database was away', async () => {
    const { batches, log } = statements((_, number) =>
      number < 3 ? Promise.reject(new Error('away')) : Promise.resolve(),
    );
    await log.write(result('a'));

    expect(batches).toEqual([['a'], ['a'], ['a']]);
  });

  it('are given up on after a while, and later ones are still written', async () => {
    const { batches, log } = statements(([id]) => (id === 'a' ? Promise.reject(new Error('away')) : Promise.resolve()));
    await log.write(result('a'));
    await log.write(result('b'));

    expect(batches).toEqual([['a'], ['a'], ['a'], ['a'], ['a'], ['b']]);
  });
});
