import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PollingHouse } from '../../../test/support/polling-house.js';
import type { ScriptedReply } from '../../../test/support/scripted-provider.js';

/**
 * The rhythm of polling by the provider's own log. All stories run at once, each at a provider of its own whose interval
 * is one second. The shortest waits only are asserted: a busy machine makes them longer, never shorter.
 */

interface Story {
  /** The answers of the token endpoint, in order; the poll after them finds the person's approval. */
  readonly answers: readonly ScriptedReply[];
  /** The least wait before each poll, the first counted from the acknowledged start, in ms. */
  readonly waitsMs: readonly number[];
}

const error = (code: string, more: object = {}): ScriptedReply => ({ status: 400, json: { error: code, ...more } });
const pending = error('authorization_pending');
const slowDown = error('slow_down');
const after = (seconds: number, reply: ScriptedReply): ScriptedReply => ({
  ...reply,
  headers: { 'retry-after': String(seconds) },
});

const stories: Readonly<Record<string, Story>> = {
  'an interval from the start on, while it is pending (R50, R51, R54)': {
    answers: [pending, pending],
    waitsMs: [1000, 1000, 1000],
  },
  'the end of an answer that is held for longer than the interval (R52, R53)': {
    answers: [{ ...pending, delayMs: 3000 }],
    waitsMs: [1000, 3000],
  },
  'five seconds more after slow_down, for good (R55)': {
    answers: [slowDown, pending],
    waitsMs: [1000, 6000, 6000],
  },
  'five seconds more at each slow_down (R55)': {
    answers: [slowDown, slowDown],
    waitsMs: [1000, 6000, 11_000],
  },
  'a Retry-After that is longer than what slow_down adds (R56)': {
    answers: [after(9, slowDown)],
    waitsMs: [1000, 9000],
  },
  'no less than slow_down adds, when Retry-After is shorter (R56)': {
    answers: [after(2, slowDown)],
    waitsMs: [1000, 6000],
  },
  'a longer interval that is named with slow_down, for good (R56)': {
    answers: [error('slow_down', { interval: 8 }), pending],
    waitsMs: [1000, 8000, 8000],
  },
  'the Retry-After of a 503 (R63)': {
    answers: [after(4, { status: 503 })],
    waitsMs: [1000, 4000],
  },
  'the Retry-After of a 429 (R63)': {
    answers: [after(4, { status: 429 })],
    waitsMs: [1000, 4000],
  },
  'twice as long at each poll without an answer (R64, R66)': {
    answers: [{ reset: true }, { reset: true }, { reset: true }],
    waitsMs: [1000, 1000, 2000, 4000],
  },
};

/** Answers after which nothing is left to ask, and how the request ends. */
const terminal: Readonly<Record<string, { readonly answer: ScriptedReply | null; readonly status: string }>> = {
  'the tokens': { answer: null, status: 'approved' },
  access_denied: { answer: error('access_denied'), status: 'denied' },
  expired_token: { answer: error('expired_token'), status: 'expired' },
  invalid_grant: { answer: error('invalid_grant'), status: 'failed' },
  invalid_client: { answer: error('invalid_client'), status: 'failed' },
};

/** How one request went. */
interface Told {
  readonly status: string;
  /** When the provider received each poll so far, after the moment of the start, in ms. */
  readonly times: () => number[];
}

const timeoutMs = 150_000;
const told = new Map<string, Promise<Told>>();
let house: PollingHouse;

beforeAll(async () => {
  house = await PollingHouse.open();
  await house.startWorker();
  await house.startPoller();
  const tell = (name: string, answers: readonly (ScriptedReply | null)[]) => {
    const result = runStory(answers);
    // A story that fails does so in its own test.
    result.catch(() => undefined);
    told.set(name, result);
  };
  for (const [name, { answers }] of Object.entries(stories)) tell(name, [...answers, null]);
  for (const [name, { answer }] of Object.entries(terminal)) tell(name, [answer]);
}, timeoutMs);
afterAll(() => house.close(), timeoutMs);

/** A request whose polls are answered so; null is the person's approval. */
async function runStory(answers: readonly (ScriptedReply | null)[]): Promise<Told> {
  const { provider, ...rule } = await house.addRule();
  const left = [...answers];
  provider.on('token', ({ form }) => {
    const answer = left.shift();
    if (answer === null) provider.approve(form.get('auth_req_id')!);
    return answer ?? null;
  });
  const { id } = await house.begin({ provider, ...rule });
  const { status } = await house.ended(id);
  return {
    status,
    times: () => [...provider.calls('backchannel'), ...provider.calls('token')].map((call) => call.receivedAtMs),
  };
}

describe('the next poll waits for', () => {
  it.each(Object.entries(stories))(
    '%s',
    async (name, { waitsMs }) => {
      const { status, times } = await told.get(name)!;
      expect(status).toBe('approved');
      const waits = times()
        .slice(1)
        .map((time, i) => time - times()[i]!);
      expect(waits).toHaveLength(waitsMs.length);
      expect(waits.map((wait, i) => Math.min(wait, waitsMs[i]!))).toEqual(waitsMs);
    },
    timeoutMs,
  );
});

describe('nobody asks again', () => {
  it.each(Object.entries(terminal))(
    'after %s (R57, R58, R60)',
    async (name, { status }) => {
      const ended = await told.get(name)!;
      expect(ended.status).toBe(status);
      // A poll that should not be would have come by the time that all other stories have ended.
      await Promise.allSettled(told.values());
      expect(ended.times()).toHaveLength(2);
    },
    timeoutMs,
  );
});
