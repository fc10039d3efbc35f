import type { Database, RequestView } from '#lib/persistence';
import { silentLog } from '#lib/runtime';
import { expect, it } from '@jest/globals';
import type { Caller } from '../access/caller.js';
import { StreamAuthorizationRequest } from './stream-authorization-request.js';
import { Waiters } from './waiters.js';

it('keeps no place among the calls that wait for a caller who has gone', async () => {
  const waiters = new Waiters({
    states: async () => [],
    attend: () => ({ begin: () => {}, end: () => {} }),
    log: silentLog,
    limit: 1,
  });
  const view = { id: 'a', status: 'pending', stateVersion: 2, decision: null } as RequestView;
  const caller = { id: 'client', scopes: new Set() } as unknown as Caller;
  const database = { requests: { view: async () => view } } as unknown as Database;
  const stream = new StreamAuthorizationRequest(database, waiters);
  // What it answers nobody reads: its caller's connection is closed.
  await stream.run({ caller, id: 'a', lastEventId: undefined, signal: AbortSignal.abort() });
  expect(waiters.full).toBe(false);
  await waiters.onModuleDestroy();
});
