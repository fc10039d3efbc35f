import { describe, expect, it } from '@jest/globals';
import type { RevocationOutcome, TokenAnswer } from '#lib/ciba';
import type { StoredRegistration } from '#lib/persistence';
import { silentLog } from '#lib/runtime';
import { RevokeTokens } from './revoke-tokens.js';

const answer: TokenAnswer = {
  accessToken: 'access',
  tokenType: 'Bearer',
  expiresInSeconds: 60,
  scope: null,
  idToken: null,
  refreshToken: null,
  authorizationDetails: null,
};
const request = { requestId: 'r1', terms: { rule: { id: 'rule-1', version: 1 } } } as Parameters<
  RevokeTokens['begin']
>[0];

describe('revoking tokens (R136)', () => {
  it('leaves out what comes while sixteen are under way, counts it, and goes on when one has ended', async () => {
    const ends: ((outcome: RevocationOutcome) => void)[] = [];
    const lines: [string, unknown][] = [];
    const revoke = new RevokeTokens(
      { revoke: () => new Promise<RevocationOutcome>((resolve) => ends.push(resolve)) },
      { load: async () => ({ fapi: false }) as StoredRegistration },
      { ...silentLog, debug: (message, detail) => void lines.push([message, detail]) },
    );
    for (let i = 0; i < 18; i++) revoke.begin(request, answer);
    expect(lines.map(([, detail]) => detail)).toEqual([{ leftOut: 1 }, { leftOut: 2 }]);
    await turn();
    expect(ends).toHaveLength(16);
    ends[0]!('failed');
    await turn();
    revoke.begin(request, answer);
    await turn();
    expect(ends).toHaveLength(17);
  });

  it('survives a registration that cannot be loaded', async () => {
    const lines: string[] = [];
    const revoke = new RevokeTokens(
      { revoke: () => Promise.reject(new Error('not reached')) },
      { load: () => Promise.reject(new Error('away')) },
      { ...silentLog, debug: (message) => void lines.push(message) },
    );
    revoke.begin(request, answer);
    await turn();
    expect(lines).toEqual(['Tokens could not be revoked']);
  });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
