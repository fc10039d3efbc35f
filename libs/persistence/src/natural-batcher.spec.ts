import { describe, expect, it } from '@jest/globals';
import { DatabaseBusy } from './errors.js';
import { NaturalBatcher, type NaturalBatcherOptions } from './natural-batcher.js';

/** Batches that end when the test says so. */
function controlled(options: Partial<NaturalBatcherOptions<string, string>> = {}) {
  const batches: { items: readonly string[]; commit(): void; fail(error: Error): void }[] = [];
  let arrived: () => void = () => undefined;
  const batcher = new NaturalBatcher<string, string>({
    name: 'the test',
    run: (items) =>
      new Promise((resolve, reject) => {
        batches.push({ items, commit: () => resolve(items.map((item) => `${item}!`)), fail: reject });
        arrived();
      }),
    ...options,
  });
  const started = async (count: number) => {
    while (batches.length < count) await new Promise<void>((resolve) => (arrived = resolve));
    return batches;
  };
  return { batcher, batches, started };
}

const failure = (code: string) => Object.assign(new Error(code), { code });

describe('natural batching', () => {
  it('sends a lone item at once', async () => {
    const { batcher, started } = controlled();
    const result = batcher.run('a');
    (await started(1))[0]!.commit();
    expect(await result).toBe('a!');
  });

  it('takes together what arrived together, and whatever came while both lanes were busy', async () => {
    const { batcher, started } = controlled();
    const first = [batcher.run('a'), batcher.run('b')];
    await started(1);
    const second = batcher.run('c');
    const batches = await started(2);
    const third = ['d', 'e', 'f'].map((item) => batcher.run(item));
    batches[0]!.commit();
    await started(3);
    expect(batches.map(({ items }) => items)).toEqual([['a', 'b'], ['c'], ['d', 'e', 'f']]);
    batches[1]!.commit();
    batches[2]!.commit();
    expect(await Promise.all([...first, second, ...third])).toEqual(['a!', 'b!', 'c!', 'd!', 'e!', 'f!']);
  });

  it('settles no promise before the commit of its own batch', async () => {
    const { batcher, started } = controlled();
    const settled: string[] = [];
    const a = batcher.run('a').then((result) => settled.push(result));
    await started(1);
    const b = batcher.run('b').then((result) => settled.push(result));
    const batches = await started(2);
    batches[1]!.commit();
    await b;
    expect(settled).toEqual(['b!']);
    batches[0]!.commit();
    await a;
    expect(settled).toEqual(['b!', 'a!']);
  });

  it('never puts equal keys into one batch, and keeps their order', async () => {
    const { batcher, started, batches } = controlled({ lanes: 1, keyOf: (item) => item[0]! });
    const all = ['a1', 'a2', 'b1', 'a3', 'b2'].map((item) => batcher.run(item));
    for (let n = 1; n <= 3; n++) (await started(n))[n - 1]!.commit();
    await Promise.all(all);
    expect(batches.map(({ items }) => items)).toEqual([['a1', 'b1'], ['a2', 'b2'], ['a3']]);
  });

  it('lets a bad item fail alone', async () => {
    const batcher = new NaturalBatcher<string, string>({
      name: 'the test',
      run: (items) => (items.includes('bad') ? Promise.reject(failure('22P02')) : Promise.resolve([...items])),
    });
    const results = await Promise.allSettled(['a', 'bad', 'b'].map((item) => batcher.run(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it.each(['40P01', '40001'])('repeats a batch once after %s', async (code) => {
    let attempts = 0;
    const batcher = new NaturalBatcher<string, string>({
      name: 'the test',
      run: (items) => (++attempts === 1 ? Promise.reject(failure(code)) : Promise.resolve([...items])),
    });
    expect(await Promise.all(['a', 'b'].map((item) => batcher.run(item)))).toEqual(['a', 'b']);
    expect(attempts).toBe(2);
  });

  it.each(['55P03', '57014'])(
    'lets an item whose time is up with %s fail alone, and the others not wait for it',
    async (code) => {
      const settled: string[] = [];
      let fail = (): void => undefined;
      const batcher = new NaturalBatcher<string, string>({
        name: 'the test',
        run: (items) => {
          if (!items.includes('locked')) return Promise.resolve([...items]);
          if (items.length > 1) return Promise.reject(failure(code));
          return new Promise((_resolve, reject) => (fail = () => reject(failure(code))));
        },
      });
      const all = ['locked', 'a', 'b', 'c', 'd', 'e'].map((item) =>
        batcher.run(item).then(
          () => settled.push(item),
          () => settled.push(`not ${item}`),
        ),
      );
      await Promise.all(all.slice(1));
      expect([...settled].sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
      fail();
      await all[0];
      expect(settled.at(-1)).toBe('not locked');
    },
  );

  it('repeats nothing after a lost connection: the commit may have happened', async () => {
    let attempts = 0;
    const batcher = new NaturalBatcher<string, string>({
      name: 'the test',
      run: () => {
        attempts++;
        return Promise.reject(failure('ECONNRESET'));
      },
    });
    const results = await Promise.allSettled(['a', 'b'].map((item) => batcher.run(item)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(attempts).toBe(1);
  });

  it('refuses what would wait in too long a queue, and works on afterwards', async () => {
    const { batcher, started } = controlled({ lanes: 1, maxWaiting: 2 });
    const first = batcher.run('a');
    await started(1);
    const waiting = [batcher.run('b'), batcher.run('c')];
    await expect(batcher.run('d')).rejects.toThrow(DatabaseBusy);
    (await started(1))[0]!.commit();
    (await started(2))[1]!.commit();
    expect(await Promise.all([first, ...waiting])).toEqual(['a!', 'b!', 'c!']);
  });

  it('never takes more than a batch may hold', async () => {
    const { batcher, started, batches } = controlled({ lanes: 1, maxBatch: 2 });
    const all = ['a', 'b', 'c'].map((item) => batcher.run(item));
    for (let n = 1; n <= 2; n++) (await started(n))[n - 1]!.commit();
    await Promise.all(all);
    expect(batches.map(({ items }) => items.length)).toEqual([2, 1]);
  });
});
