import { describe, expect, it } from '@jest/globals';
import type { PollOutcome } from '#lib/ciba';
import type { StoredRegistration } from '#lib/persistence';
import { silentLog } from '#lib/runtime';
import { PendingAuthentications } from './pending-authentications.js';
import { PollAuthentication } from './poll-authentication.js';
import { RefusedClients } from './refused-clients.js';

const intervalMs = 5000;
const pending: PollOutcome = { kind: 'pending', retryAfterSeconds: null };
const rule = { id: '01990000-0000-7000-8000-0000000000aa', version: 1 };
const fence = { shard: 7, owner: 'poller-1', epoch: 1 };

/** One poll, with a clock that passes only where the parts at the rim say so. */
function aPoll(parts: { readonly loadMs: number; readonly answerMs: number; readonly noting?: Promise<never> }) {
  let nowMs = 0;
  const noted: string[] = [];
  const request = (() => {
    const table = new PendingAuthentications();
    const terms = {
      rule,
      tokenProviderId: 'provider-1',
      clientId: 'client-1',
      requestedScope: 'openid',
      acrValues: [],
      releaseAccessToken: false,
      consumeWithinSeconds: 300,
      provesPerRequest: false,
      deliveryMode: 'poll',
    } as const;
    const id = '01990000-0000-7000-8000-000000000007';
    const times = { sentAt: new Date(0), deadlineMs: 600_000, intervalMs };
    return table.read(
      table.add({ requestId: id, shard: 7, authReqId: 'a', ...times, takenOver: false, pinged: false }, terms),
    );
  })();
  const registrations = {
    load: async () => {
      nowMs += parts.loadMs;
      return { fapi: false, refusedCalls: ['poll'] } as unknown as StoredRegistration;
    },
  };
  const store = {
    admit: async () => null,
    accepted: async () => (noted.push('accepted'), parts.noting ?? false),
    note: async () => (noted.push('refused'), parts.noting ?? { forMs: 5000, error: 'invalid_client' }),
  };
  const refusedClients = new RefusedClients(store, silentLog);
  return {
    noted,
    run: (outcome: PollOutcome) => {
      const poll = async () => ((nowMs += parts.answerMs), outcome);
      const polling = new PollAuthentication({ poll }, registrations, refusedClients, silentLog, () => nowMs);
      return polling.run(request, { fence, spacingMs: () => intervalMs });
    },
  };
}

describe('one poll', () => {
  it('is not followed at once because what it needs was slow to load (R50)', async () => {
    const { step } = await aPoll({ loadMs: 12_000, answerMs: 20 }).run(pending);
    expect(step).toMatchObject({ kind: 'wait', atMs: 12_020 + intervalMs });
  });

  it('is followed at once when its answer was held for long (R50, R53)', async () => {
    const { step } = await aPoll({ loadMs: 20, answerMs: 30_000 }).run(pending);
    expect(step).toMatchObject({ kind: 'wait', atMs: 30_020 });
  });

  it.each<[string, PollOutcome, string[]]>([
    ['accepted', pending, ['accepted']],
    ['accepted, by an error that speaks of the request', refused('invalid_request'), ['accepted']],
    ['neither, by an error that anybody may have made up', refused('gone_fishing'), []],
    ['neither, by no answer', { kind: 'lost', detail: '' }, []],
    ['refused', refused('invalid_client'), ['refused']],
  ])('shows the client %s (R62)', async (_, outcome, noted) => {
    const poll = aPoll({ loadMs: 0, answerMs: 0 });
    await poll.run(outcome);
    expect(poll.noted).toEqual(noted);
  });

  it.each([pending, refused('invalid_client')])('is told before the client is noted: %o (R62)', async (outcome) => {
    const poll = aPoll({ loadMs: 0, answerMs: 0, noting: new Promise(() => undefined) });
    expect(await poll.run(outcome)).toMatchObject({ outcome: outcome.kind });
    expect(poll.noted).toHaveLength(1);
  });
});

function refused(code: string): PollOutcome {
  return { kind: 'refused', error: { code, description: null } };
}
