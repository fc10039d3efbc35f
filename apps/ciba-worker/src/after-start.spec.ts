import { describe, expect, it } from '@jest/globals';
import { endUncalled, giveUp } from './after-start.js';

const refused = { code: 'invalid_client', description: null };
const failStart = { type: 'fail-start', reason: 'initiation_unknown', providerError: null };

describe('a request for which nobody may be called any more', () => {
  const opened = (unknownAttempts: number) =>
    ({
      kind: 'opened',
      number: 3,
      sentAt: new Date(),
      firstSentAt: new Date(),
      unknownAttempts,
      bindingMessage: null,
    }) as const;

  it('fails for the reason that keeps us from calling when nobody was asked before', () => {
    const end = { ...failStart, attemptId: 'mine', reason: 'configuration_error', providerError: refused };
    expect(endUncalled('mine', opened(0), refused)).toEqual(end);
  });

  it('ends unknown when an earlier call may have rung the phone', () => {
    expect(endUncalled('mine', opened(1), refused)).toEqual({ ...failStart, attemptId: 'mine' });
    const lapsed = { kind: 'lapsed', attemptId: 'another', unknownAttempts: 1 } as const;
    expect(endUncalled('mine', lapsed, refused)).toEqual({ ...failStart, attemptId: 'another' });
  });

  it.each(['in-progress', 'not-requested', 'duplicate'] as const)('is left alone when opening says %s', (kind) => {
    expect(endUncalled('mine', { kind }, refused)).toBeNull();
  });
});

describe('a request that has waited too long for its turn', () => {
  it('expires unasked, or ends unknown when an earlier call may have rung the phone', () => {
    expect(giveUp({ id: 'mine', unknownAttempts: 0 })).toEqual({ type: 'give-up-start' });
    expect(giveUp({ id: 'mine', unknownAttempts: 1 })).toEqual({ ...failStart, attemptId: 'mine' });
  });
});
