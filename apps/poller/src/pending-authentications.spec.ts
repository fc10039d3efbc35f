import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { PendingAuthentications, type NewPendingAuthentication, type Terms } from './pending-authentications.js';

const terms: Terms = {
  rule: { id: '01990000-0000-7000-8000-0000000000aa', version: 3 },
  tokenProviderId: 'provider-1',
  clientId: 'client-1',
  requestedScope: 'openid pay',
  acrValues: ['gold'],
  releaseAccessToken: true,
  consumeWithinSeconds: 300,
  provesPerRequest: false,
  deliveryMode: 'poll',
};

const aRequest = (number: number, more: Partial<NewPendingAuthentication> = {}): NewPendingAuthentication => ({
  requestId: `01990000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`,
  shard: number % 256,
  authReqId: `auth-req-${number.toString(36).padStart(24, '0')}`,
  sentAt: new Date(1_790_000_000_000 + number),
  deadlineMs: 60_000 + number,
  intervalMs: 5000,
  takenOver: false,
  pinged: false,
  ...more,
});

describe('the table of pending requests', () => {
  it('gives back what was put in, with the terms of its rule version', () => {
    const table = new PendingAuthentications();
    const slot = table.add(aRequest(7, { takenOver: true }), terms);
    expect(table.read(slot)).toEqual({
      terms,
      ...aRequest(7, { takenOver: true }),
      doubt: false,
      lost: false,
      barred: false,
      resolving: false,
      failures: 0,
      polls: 0,
    });
    expect(table.find(aRequest(7).requestId)).toBe(slot);
    expect(table.phase(slot)).toBe('waiting');
  });

  it('hurries once, however often a ping comes (R78)', () => {
    const table = new PendingAuthentications();
    const slot = table.add(aRequest(7), { ...terms, deliveryMode: 'ping' });
    expect(table.isPinged(slot)).toBe(false);
    expect([table.hurry(slot), table.hurry(slot)]).toEqual([true, false]);
    expect(table.isPinged(slot)).toBe(true);
    table.hurryAfterwards(slot);
    expect([table.takeHurry(slot), table.takeHurry(slot)]).toEqual([true, false]);
  });

  it('knows of a ping that came before the request was ours, and hurries for one that comes now', () => {
    const table = new PendingAuthentications();
    const slot = table.add(aRequest(7, { pinged: true }), { ...terms, deliveryMode: 'ping' });
    expect(table.isPinged(slot)).toBe(true);
    expect(table.hurry(slot)).toBe(true);
  });

  it('has hurried enough when a poll went out that knew of the ping, and not when one went out before it (R77)', () => {
    const table = new PendingAuthentications();
    const told = table.add(aRequest(7, { pinged: true }), { ...terms, deliveryMode: 'ping' });
    const untold = table.add(aRequest(8), { ...terms, deliveryMode: 'ping' });
    table.answerPing(told);
    table.answerPing(untold);
    expect([table.hurry(told), table.hurry(untold)]).toEqual([false, true]);
  });

  it('keeps each request’s own values apart, beyond the first room', () => {
    const table = new PendingAuthentications();
    const slots = Array.from({ length: 500 }, (_, i) => table.add(aRequest(i), terms));
    slots.forEach((slot, i) => {
      table.keep(slot, {
        intervalMs: 1000 + i,
        doubt: i % 2 === 0,
        lost: i % 3 === 0,
        failures: i,
        barred: i % 5 === 0,
      });
      table.enter(slot, i % 3 === 0 ? 'held' : 'ready');
    });
    slots.forEach((slot, i) => {
      expect(table.read(slot)).toMatchObject({
        requestId: aRequest(i).requestId,
        deadlineMs: 60_000 + i,
        intervalMs: 1000 + i,
        doubt: i % 2 === 0,
        lost: i % 3 === 0,
        barred: i % 5 === 0,
        failures: Math.min(i, 255),
      });
      expect(table.phase(slot)).toBe(i % 3 === 0 ? 'held' : 'ready');
    });
  });

  it('starts a slot that is used again from nothing', () => {
    const table = new PendingAuthentications();
    const slot = table.add(aRequest(1, { takenOver: true }), terms);
    table.keep(slot, { intervalMs: 9000, doubt: true, lost: true, failures: 3, barred: true });
    table.countPoll(slot);
    table.startResolving(slot);
    table.markDropped(slot);
    table.enter(slot, 'busy');
    table.remove(slot);
    expect(table.find(aRequest(1).requestId)).toBeNull();

    expect(table.add(aRequest(2), terms)).toBe(slot);
    expect(table.read(slot)).toMatchObject({
      doubt: false,
      lost: false,
      takenOver: false,
      resolving: false,
      failures: 0,
      polls: 0,
    });
    expect([table.phase(slot), table.isDropped(slot), table.size]).toEqual(['waiting', false, 1]);
  });

  it('knows which requests a shard has', () => {
    const table = new PendingAuthentications();
    [3, 259, 515, 4].forEach((number) => table.add(aRequest(number), terms));
    table.remove(table.find(aRequest(259).requestId)!);
    expect(table.idsIn(3)).toEqual([aRequest(3).requestId, aRequest(515).requestId]);
    expect(table.idsIn(5)).toEqual([]);
  });

  it('tells what was removed while something else was done', async () => {
    const table = new PendingAuthentications();
    const [first, second, third] = [1, 2, 3].map((number) => table.add(aRequest(number), terms));
    table.remove(first!);
    const { result, removed } = await table.watching(async () => {
      table.remove(second!);
      return 'done';
    });
    table.remove(third!);
    expect({ result, removed: [...removed] }).toEqual({ result: 'done', removed: [aRequest(2).requestId] });
  });

  it('tells the versions of a rule apart', () => {
    const table = new PendingAuthentications();
    const old = table.add(aRequest(1), terms);
    const slot = table.add(aRequest(2), { ...terms, rule: { ...terms.rule, version: 4 }, clientId: 'client-2' });
    table.remove(old);
    expect(table.terms(slot).clientId).toBe('client-2');
    expect(table.terms(table.add(aRequest(3), terms)).clientId).toBe('client-1');
  });

  it('needs less than 1 kB for a request', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = () => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const table = new PendingAuthentications();
    const before = used();
    for (let number = 0; number < 50_000; number++) table.add(aRequest(number), { ...terms });
    expect((used() - before) / table.size).toBeLessThan(1000);
  });
});
