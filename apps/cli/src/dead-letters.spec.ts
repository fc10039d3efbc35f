import { describe, expect, it } from '@jest/globals';
import { deadLetterWish } from './dead-letters.js';
import { CommandProblem } from './terminal.js';

const queue = 'decision-service.decision.#';

describe('assent dead-letters', () => {
  it.each([
    ['', {}, { kind: 'list', queue: null, json: false }],
    ['list', { queue, json: true }, { kind: 'list', queue, json: true }],
    ['show a', {}, { kind: 'show', id: 'a' }],
    ['replay a', {}, { kind: 'replay', id: 'a' }],
    ['replay', { all: true, queue }, { kind: 'replay-all', queue }],
    ['drop a', {}, { kind: 'drop', id: 'a' }],
  ])('understands "%s" with %j', (words, flags, wish) => {
    expect(deadLetterWish(words.split(' ').filter(Boolean), { all: false, json: false, ...flags })).toEqual(wish);
  });

  it.each([
    ['show', {}],
    ['replay', {}],
    ['drop', { all: true }],
    ['drop a b', {}],
    ['drop a', { queue }],
    ['list', { queue: 'mine' }],
    ['purge', {}],
  ])('refuses "%s" with %j', (words, flags) => {
    expect(() => deadLetterWish(words.split(' '), { all: false, json: false, ...flags })).toThrow(CommandProblem);
  });
});
