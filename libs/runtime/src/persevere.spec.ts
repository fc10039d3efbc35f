import { getMaxListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { silentLog, type Log } from './log.js';
import { GivenUp, perseveringUntil } from './persevere.js';

describe('persevering', () => {
  it('answers with the first success, and tells of each failure', async () => {
    const warnings: string[] = [];
    const log: Log = { ...silentLog, warn: (message) => warnings.push(message) };
    let tries = 0;
    const persevere = perseveringUntil(new AbortController().signal, log);
    const answer = await persevere('Asking', async () => {
      if (++tries < 3) throw new Error('away');
      return 'there';
    });
    expect({ answer, tries }).toEqual({ answer: 'there', tries: 3 });
    expect(warnings).toEqual(Array(2).fill('Asking failed; it will be tried again'));
  });

  it('gives up while it waits, once the signal aborts', async () => {
    const ending = new AbortController();
    const persevere = perseveringUntil(ending.signal, silentLog);
    const answer = persevere('Asking', async () => {
      ending.abort();
      throw new Error('away');
    });
    await expect(answer).rejects.toThrow(GivenUp);
  });

  it('may be done for any number of things in one outage: the platform takes no number of them for a leak', () => {
    const ending = new AbortController();
    perseveringUntil(ending.signal, silentLog);
    expect(getMaxListeners(ending.signal)).toBe(Infinity);
  });

  it('tries once even when the signal has aborted already', async () => {
    const persevere = perseveringUntil(AbortSignal.abort(), silentLog);
    expect(await persevere('Asking', async () => 7)).toBe(7);
  });
});
