import type { Delivery } from '#lib/contracts';
import { expect, it } from '@jest/globals';
import { timelineSteps } from './timeline-steps.js';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const nobody = () => undefined;
const delivery = (over: Partial<Delivery>): Delivery => ({
  id: 'd1',
  webhookId: 'w1',
  type: 'decision.denied',
  authorizationRequestId: 'r1',
  url: 'https://shop.example/hook',
  state: 'pending',
  attempts: [],
  nextAttemptAt: null,
  createdAt: at(9),
  ...over,
});

it('tells what happened in order, with the times between, and what is waited for', () => {
  const steps = timelineSteps(
    [
      { at: at(0), type: 'requested', detail: { rule: null } },
      { at: at(2), type: 'initiated', detail: { expiresInSeconds: 120 } },
    ],
    [],
    'pending',
    nobody,
  );
  expect(steps.map(({ title, afterMs }) => [title, afterMs])).toEqual([
    ['Accepted', null],
    ['Provider acknowledged', 2000],
    ['Waiting for the person', null],
  ]);
  expect(steps.map(({ details }) => details)).toEqual([[], ['2 min to answer'], []]);
});

it('puts each attempt of a delivery where it was made, and the next one at the end', () => {
  const steps = timelineSteps(
    [
      { at: at(0), type: 'requested', detail: {} },
      { at: at(9), type: 'denied', detail: { by: 'user:Ada' } },
    ],
    [
      delivery({
        nextAttemptAt: at(15),
        attempts: [{ at: at(10), status: 503, problem: 'the answer was 503', durationMs: 12 }],
      }),
    ],
    'denied',
    nobody,
  );
  expect(steps.map(({ title, tone }) => [title, tone])).toEqual([
    ['Accepted', 'quiet'],
    ['Denied', 'bad'],
    ['Delivery failed', 'warning'],
    ['Delivery waits', 'waiting'],
  ]);
  expect(steps.map(({ details }) => details.join(' · '))).toEqual([
    '',
    'by Ada',
    'to https://shop.example/hook · HTTP 503 in 12 ms',
    'to https://shop.example/hook',
  ]);
  expect(steps.map(({ at }) => at)).toEqual([at(0), at(9), at(10), at(15)]);
});
