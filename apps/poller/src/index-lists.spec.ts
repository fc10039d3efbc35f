import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IndexLists } from './index-lists.js';

describe('lists of slots', () => {
  it('keep their order, and an entry moves from one to the other', () => {
    const lists = new IndexLists(2, 1);
    [3, 900, 5].forEach((index) => lists.append(0, index));
    lists.append(1, 900);
    expect([...lists.entries(0)]).toEqual([3, 5]);
    expect([...lists.entries(1)]).toEqual([900]);
    expect(lists.listOf(900)).toBe(1);
    expect(lists.listOf(4)).toBeNull();
  });

  it('get one more when it is needed, without losing what they hold', () => {
    const lists = new IndexLists(1);
    lists.append(0, 2);
    const added = lists.addList();
    lists.append(added, 4);
    expect([[...lists.entries(0)], [...lists.entries(added)]]).toEqual([[2], [4]]);
  });

  it('agree with arrays, whatever is appended and removed', () => {
    const act = fc.record({ list: fc.nat(2), index: fc.nat(30), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 100 }), (acts) => {
        const lists = new IndexLists(3, 4);
        let model: number[][] = [[], [], []];
        for (const { list, index, remove } of acts) {
          model = model.map((entries) => entries.filter((entry) => entry !== index));
          if (remove) lists.remove(index);
          else {
            lists.append(list, index);
            model[list]!.push(index);
          }
          expect([0, 1, 2].map((each) => [...lists.entries(each)])).toEqual(model);
          expect([0, 1, 2].map((each) => lists.isEmpty(each))).toEqual(model.map((entries) => entries.length === 0));
        }
      }),
    );
  });
});
