import { describe, expect, it } from '@jest/globals';
import { ProviderLanes, type Place } from './provider-lanes.js';

/** A call that lasts until the test ends it. */
function aCall() {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const call = { running: false, end: () => end(), run: async () => {} };
  call.run = async () => {
    call.running = true;
    await ended;
  };
  return call;
}

const entered = (place: Place | null): Place => {
  if (place === null) throw new Error('the lane is full');
  return place;
};

describe('provider lanes', () => {
  it('run so many calls at once, and the next in order as soon as one ends', async () => {
    const lanes = new ProviderLanes({ inFlight: 2, members: 10, standBy: 2 });
    const calls = Array.from({ length: 4 }, aCall);
    const done = calls.map((call) => entered(lanes.enter('a')).turn(call.run));
    expect(calls.map(({ running }) => running)).toEqual([true, true, false, false]);
    calls[1]!.end();
    await done[1];
    await Promise.resolve();
    expect(calls.map(({ running }) => running)).toEqual([true, true, true, false]);
    calls.forEach((call) => call.end());
    await Promise.all(done);
  });

  it('let a provider that hangs hold up nobody else', async () => {
    const lanes = new ProviderLanes({ inFlight: 1, members: 10, standBy: 2 });
    const hanging = aCall();
    const hung = entered(lanes.enter('slow')).turn(hanging.run);
    expect(await entered(lanes.enter('fast')).turn(async () => 'done')).toBe('done');
    hanging.end();
    await hung;
  });

  it('go on after a call that fails', async () => {
    const lanes = new ProviderLanes({ inFlight: 1, members: 10, standBy: 2 });
    const place = entered(lanes.enter('a'));
    await expect(place.turn(() => Promise.reject(new Error('cut')))).rejects.toThrow('cut');
    expect(await place.turn(async () => 'next')).toBe('next');
  });

  it('refuse whom they have no room for, until somebody leaves', () => {
    const lanes = new ProviderLanes({ inFlight: 1, members: 2, standBy: 2 });
    const first = entered(lanes.enter('a'));
    entered(lanes.enter('a'));
    expect(lanes.enter('a')).toBeNull();
    expect(lanes.enter('b')).not.toBeNull();
    first.leave();
    expect(lanes.enter('a')).not.toBeNull();
  });

  it('hand a place that becomes free to whoever stood by first', () => {
    const lanes = new ProviderLanes({ inFlight: 1, members: 1, standBy: 2 });
    const first = entered(lanes.enter('a'));
    const got: string[] = [];
    const places: Place[] = [];
    const standBy = (name: string) =>
      lanes.standBy('a', (place) => {
        got.push(name);
        places.push(place);
      });
    expect([standBy('b'), standBy('c'), standBy('d')]).toEqual([true, true, false]);
    first.leave();
    expect(got).toEqual(['b']);
    expect(lanes.enter('a')).toBeNull();
    places[0]!.leave();
    expect(got).toEqual(['b', 'c']);
    places[1]!.leave();
    expect(lanes.standBy('a', () => undefined)).toBe(false);
    expect(lanes.enter('a')).not.toBeNull();
  });
});
