import { describe, expect, it } from '@jest/globals';
import { createInProcessBus } from '#lib/messaging';
import type { RequestView } from '#lib/persistence';
import { silentLog } from '#lib/runtime';
import { AwaitRequest, isDecided } from './await-request.js';
import { Waiters } from './waiters.js';

const view = (status: RequestView['status'], stateVersion: number): RequestView =>
  ({ id: 'a', status, stateVersion, decision: null }) as RequestView;

describe('awaiting a request', () => {
  const bus = createInProcessBus();
  const waiters = new Waiters({
    states: async () => [],
    attend: (hearing) => bus.attention(hearing),
    log: silentLog,
  });

  it('tells how it stands when the patience ends, not how it stood when the wait began', async () => {
    const readings = [view('requested', 1), view('pending', 2)];
    const read = async () => readings.shift() ?? view('pending', 2);
    const patience = { seconds: 0.01, signal: new AbortController().signal };
    expect(await new AwaitRequest(waiters).run('a', read, isDecided, patience)).toMatchObject({ status: 'pending' });
  });

  it('reads nothing more for a caller who has gone', async () => {
    let reads = 0;
    const read = async () => {
      reads++;
      return view('requested', 1);
    };
    const gone = AbortSignal.abort();
    await new AwaitRequest(waiters).run('a', read, isDecided, { seconds: 30, signal: gone });
    expect(reads).toBe(1);
  });
});
