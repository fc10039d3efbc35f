import { expect, it } from '@jest/globals';
import { decodeEvent } from './decode-event.js';
import { anEvent } from './event-bus.contract.js';
import { Malformed } from './failures.js';

const { event } = anEvent('authorization.requested', { some: 'data' });
const decode = (value: unknown) => decodeEvent(Buffer.from(JSON.stringify(value)));

it('reads a CloudEvent', () => {
  const traced = { ...event, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  expect(decode(traced)).toEqual(traced);
});

it.each([
  ['null', null],
  ['an array', []],
  ['no id', { ...event, id: undefined }],
  ['an empty id', { ...event, id: '' }],
  ['another version', { ...event, specversion: '0.3' }],
  ['a number for a subject', { ...event, subject: 7 }],
])('refuses %s', (_, value) => {
  expect(() => decode(value)).toThrow(Malformed);
});

it('quotes nothing of what it refuses', () => {
  const secret = 'the-secret';
  for (const body of [secret, JSON.stringify({ ...event, time: secret }), JSON.stringify({ [secret]: secret })]) {
    expect(() => decodeEvent(Buffer.from(body))).toThrow(/^(?!.*the-secret)/s);
  }
});
