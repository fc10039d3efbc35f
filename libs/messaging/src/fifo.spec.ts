import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Fifo } from './fifo.js';

it('gives things back in their order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3_000), { maxLength: 20 }), (rounds) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      let next = 0;
      for (const [round, count] of rounds.entries()) {
        for (let index = 0; index < count; index++) {
          if (round % 2 === 1) expect(fifo.shift()).toBe(model.shift());
          else {
            fifo.push(next);
            model.push(next++);
          }
        }
        expect(fifo.length).toBe(model.length);
      }
    }),
    { numRuns: 20 },
  );
});

it('is empty when it was cleared', () => {
  const fifo = new Fifo<string>();
  fifo.push('a');
  fifo.clear();
  expect(fifo.length).toBe(0);
  expect(fifo.shift()).toBeUndefined();
});
