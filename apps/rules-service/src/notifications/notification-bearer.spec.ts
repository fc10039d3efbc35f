import { beforeEach, describe, expect, it } from '@jest/globals';
import type { NotifiedAttempt } from '#lib/persistence';
import { CallAllowance } from './call-allowance.js';
import { NotificationBearer } from './notification-bearer.js';

const attempt = { requestId: 'r', attemptId: 'a', deliveryMode: 'ping' } as NotifiedAttempt;
const allowance = (burst: number) =>
  new CallAllowance({ name: 'notifications', burst, perSecond: 1, maxCallers: 10 }, () => 0);

let asked: string[];
let bearer: NotificationBearer;

beforeEach(() => {
  asked = [];
  bearer = new NotificationBearer(
    {
      issuedNotificationToken: (token) => token.startsWith('ours'),
      notified: (token) => Promise.resolve(asked.push(token) > 0 && token !== 'ours-forgotten' ? attempt : null),
    },
    { strangers: allowance(5), holders: allowance(3) },
  );
});

const codeOf = (authorization: string | undefined, source = '192.0.2.1'): Promise<string> =>
  bearer.admit({}, authorization, source).then(
    () => 'admitted',
    (error: { code: string }) => error.code,
  );
const codesOf = async (times: number, authorization: string | undefined, source?: string): Promise<string[]> => {
  const codes: string[] = [];
  for (let call = 0; call < times; call++) codes.push(await codeOf(authorization, source));
  return codes;
};

describe('calls of strangers (R81)', () => {
  it.each([undefined, 'Basic YTpi', 'Bearer made-up'])(
    'are heard a few times, and never reach the database: %s',
    async (authorization) => {
      const codes = await codesOf(7, authorization);
      expect(codes).toEqual([...Array<string>(5).fill('unauthenticated'), 'too_many_calls', 'too_many_calls']);
      expect(asked).toEqual([]);
    },
  );

  it('cost a token that fits nothing, though it comes from the same address', async () => {
    await codesOf(100, 'Bearer made-up');
    expect(await codeOf('Bearer ours-1')).toBe('admitted');
  });

  it('cost no other address anything', async () => {
    await codesOf(100, 'Bearer made-up');
    expect(await codeOf('Bearer made-up', '192.0.2.2')).toBe('unauthenticated');
  });

  it('are told what is left, and how long to wait', async () => {
    await codesOf(3, undefined);
    await expect(bearer.admit({}, undefined, '192.0.2.1')).rejects.toMatchObject({
      extras: { headers: { ratelimit: '"notifications";r=1', 'www-authenticate': 'Bearer error="invalid_token"' } },
    });
    await codesOf(1, undefined);
    await expect(bearer.admit({}, undefined, '192.0.2.1')).rejects.toMatchObject({
      extras: { headers: { 'retry-after': '1', ratelimit: '"notifications";r=0;t=1' } },
    });
  });
});

describe('a token that we issued', () => {
  it('is heard so many times and no more, and no other token pays for it (R81)', async () => {
    expect(await codesOf(4, 'Bearer ours-1')).toEqual(['admitted', 'admitted', 'admitted', 'too_many_calls']);
    expect(await codeOf('Bearer ours-2')).toBe('admitted');
  });

  it('is told what is left', async () => {
    const { rateLimit } = await bearer.admit({}, 'Bearer ours-1', '192.0.2.1');
    expect(rateLimit).toEqual({ ratelimit: '"notifications";r=2', 'ratelimit-policy': '"notifications";q=3;w=3' });
  });

  it('and whose start call is forgotten is that of a stranger', async () => {
    expect(await codeOf('Bearer ours-forgotten')).toBe('unauthenticated');
  });
});
