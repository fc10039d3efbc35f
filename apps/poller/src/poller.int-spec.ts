import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PollingHouse, type HouseRule } from '../../../test/support/polling-house.js';
import type { RecordedCall, ScriptedProvider } from '../../../test/support/scripted-provider.js';

/**
 * The stories run side by side, each at a provider of its own; the last two, which look at all tables or take one away,
 * when the others have ended.
 */
let house: PollingHouse;
const timeoutMs = 60_000;

beforeAll(async () => {
  house = await PollingHouse.open();
  await house.startWorker();
  await house.startPoller();
}, timeoutMs);
afterAll(() => house.close(), timeoutMs);

const pollsOf = (provider: ScriptedProvider, authReqId: string): RecordedCall[] =>
  provider.calls('token').filter((call) => call.form.get('auth_req_id') === authReqId);

/** Resolves when so many polls of a request have been received. */
async function polled(provider: ScriptedProvider, authReqId: string, times: number): Promise<void> {
  while (pollsOf(provider, authReqId).length < times) await provider.nextCall('token');
}

/** Answers the next poll so, and leaves all later ones to the default script. */
function answerOnce(provider: ScriptedProvider, answer: Parameters<ScriptedProvider['on']>[1]): void {
  provider.on('token', (call) => {
    provider.off('token');
    return answer(call);
  });
}

describe('a pending request', () => {
  it.concurrent('is approved with verified evidence; its tokens are dropped', async () => {
    const rule = await house.addRule();
    const { id, authReqId } = await house.begin(rule);
    rule.provider.approve(authReqId);

    expect(await house.ended(id)).toMatchObject({ status: 'approved', reason: null });
    const [row] = await house.query(
      `select evidence->>'subject' as subject, released_token, auth_req_id from authorization_requests where id = $1`,
      [id],
    );
    expect(row).toEqual({ subject: 'alice@example.com', released_token: null, auth_req_id: null });
  });

  it.concurrent('releases the access token when the rule says so', async () => {
    const rule = await house.addRule({}, { releaseAccessToken: true });
    const { id, authReqId } = await house.begin(rule);
    rule.provider.approve(authReqId);
    await house.ended(id);

    expect(await house.database.requests.change(id, { type: 'consume', by: 'test', key: null })).toMatchObject({
      kind: 'applied',
    });
    const consumed = await house.database.requests.consumed(id, null);
    expect(consumed?.accessToken).toMatchObject({ tokenType: 'Bearer', value: expect.stringMatching(/.{36}/) });
  });

  it.concurrent('is denied when the person says no (R57)', async () => {
    const rule = await house.addRule();
    const { id, authReqId } = await house.begin(rule);
    rule.provider.deny(authReqId);
    expect(await house.ended(id)).toMatchObject({ status: 'denied', reason: null });
  });

  it.concurrent('expires when the provider says so (R58)', async () => {
    const rule = await house.addRule();
    const { id, authReqId } = await house.begin(rule);
    rule.provider.expire(authReqId);
    expect(await house.ended(id)).toMatchObject({ status: 'expired' });
  });

  it.concurrent('expires at its deadline when nobody answers, after a last poll shortly before it (R65)', async () => {
    const rule = await house.addRule({ expiresInSeconds: 5 });
    const { id, authReqId } = await house.begin(rule);
    const view = await house.ended(id);
    expect(view.status).toBe('expired');
    const [row] = await house.query<{ early: boolean }>(
      `select ended_at < expires_at as early from authorization_requests where id = $1`,
      [id],
    );
    expect(row!.early).toBe(false);
    const start = rule.provider.calls('backchannel')[0]!.receivedAtMs;
    expect(pollsOf(rule.provider, authReqId).at(-1)!.receivedAtMs - start).toBeGreaterThan(2000);
  });

  it.concurrent('fails when the evidence is not in order', async () => {
    const rule = await house.addRule();
    const { id, authReqId } = await house.begin(rule);
    rule.provider.approve(authReqId, { aud: 'somebody-else' });
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'invalid_evidence' });
  });

  it.concurrent.each([
    ['invalid_client', 'configuration_error'],
    ['unauthorized_client', 'configuration_error'],
    ['invalid_request', 'provider_rejected'],
    ['invalid_grant', 'provider_error'],
  ])('fails at once when the provider says %s', async (error, reason) => {
    const rule = await house.addRule();
    const { id, authReqId } = await house.begin(rule);
    rule.provider.on('token', () => ({ status: 400, json: { error } }));
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason, providerError: { code: error } });
    expect(pollsOf(rule.provider, authReqId)).toHaveLength(1);
  });

  it.concurrent(
    'is polled no more once it was cancelled; an approval in flight is kept as late evidence (R113)',
    async () => {
      const rule = await house.addRule();
      const { id, authReqId } = await house.begin(rule);
      rule.provider.approve(authReqId);
      answerOnce(rule.provider, async () => {
        await house.database.requests.change(id, { type: 'cancel', by: 'test' });
        return null;
      });
      expect(await house.ended(id)).toMatchObject({ status: 'cancelled' });
      const late = async () =>
        (
          await house.query<{ late: string | null }>(
            `select late_evidence->>'subject' as late from authorization_requests where id = $1`,
            [id],
          )
        )[0]!.late;
      while ((await late()) === null) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await late()).toBe('alice@example.com');
      expect(pollsOf(rule.provider, authReqId)).toHaveLength(1);
    },
  );
});

describe('tokens that nobody needs (R136)', () => {
  async function aRevokingRule(over: Parameters<PollingHouse['addRule']>[1] = {}): Promise<HouseRule> {
    const rule = await house.addRule({}, over);
    rule.provider.metadata['revocation_endpoint'] = `${rule.provider.issuer}/revocation`;
    return rule;
  }

  async function approved(rule: HouseRule, claims: Record<string, unknown> = {}): Promise<string> {
    const { id, authReqId } = await house.begin(rule);
    rule.provider.approve(authReqId, claims);
    return (await house.ended(id)).status;
  }

  it.concurrent(
    'are revoked when they are not released, or prove nothing; not when they are released (R136)',
    async () => {
      const releasing = await aRevokingRule({ releaseAccessToken: true });
      expect(await approved(releasing)).toBe('approved');

      const dropping = await aRevokingRule();
      const call = dropping.provider.nextCall('revocation');
      expect(await approved(dropping)).toBe('approved');
      expect((await call).form.get('token_type_hint')).toBe('access_token');
      expect((await call).clientId).toBe('client-1');

      const next = dropping.provider.nextCall('revocation');
      expect(await approved(dropping, { aud: 'somebody-else' })).toBe('failed');
      expect((await next).form.get('token')).not.toBe((await call).form.get('token'));
      expect(releasing.provider.calls('revocation')).toEqual([]);
    },
  );

  it.concurrent('are revoked when the request was cancelled meanwhile (R136)', async () => {
    const rule = await aRevokingRule({ releaseAccessToken: true });
    const { id, authReqId } = await house.begin(rule);
    rule.provider.approve(authReqId);
    const call = rule.provider.nextCall('revocation');
    answerOnce(rule.provider, async () => {
      await house.database.requests.change(id, { type: 'cancel', by: 'test' });
      return null;
    });
    expect((await call).form.get('token_type_hint')).toBe('access_token');
    expect(await house.ended(id)).toMatchObject({ status: 'cancelled' });
  });

  it.concurrent('hold up nothing when their revocation hangs (R136)', async () => {
    const rule = await aRevokingRule();
    rule.provider.on('revocation', () => ({ hang: true }));
    expect(await approved(rule)).toBe('approved');
    expect(await approved(rule)).toBe('approved');
    await rule.provider.goAway();
  });
});

describe('the rhythm at the provider', () => {
  it.concurrent('grows by five seconds with slow_down (R55)', async () => {
    const rule = await house.addRule();
    const { id, authReqId } = await house.begin(rule);
    answerOnce(rule.provider, () => ({ status: 400, json: { error: 'slow_down' } }));
    await polled(rule.provider, authReqId, 1);
    rule.provider.approve(authReqId);
    expect(await house.ended(id)).toMatchObject({ status: 'approved' });
    const [first, second, ...more] = pollsOf(rule.provider, authReqId).map(({ receivedAtMs }) => receivedAtMs);
    expect(second! - first!).toBeGreaterThanOrEqual(6000);
    expect(more).toEqual([]);
  });
});

describe('a lost answer', () => {
  it.concurrent('that carried the tokens ends as unknown, not as expired or denied (R66)', async () => {
    const rule = await house.addRule();
    const { id, authReqId } = await house.begin(rule);
    rule.provider.approve(authReqId);
    // The provider uses the grant up and the connection breaks.
    answerOnce(rule.provider, () => {
      rule.provider.requests.at(-1)!.state = 'redeemed';
      return { json: { access_token: 'gone' }, cutAfterBytes: 5 };
    });
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'outcome_unknown' });
    expect(pollsOf(rule.provider, authReqId)).toHaveLength(2);
  });

  it.concurrent('that carried nothing is cleared by the next one, and the person may still approve', async () => {
    const rule = await house.addRule();
    const { id, authReqId } = await house.begin(rule);
    answerOnce(rule.provider, () => ({ reset: true }));
    await polled(rule.provider, authReqId, 2);
    rule.provider.approve(authReqId);
    expect(await house.ended(id)).toMatchObject({ status: 'approved' });
  });

  it.concurrent('that stays unresolved until the deadline ends as unknown', async () => {
    const rule = await house.addRule({ expiresInSeconds: 3 });
    const { id } = await house.begin(rule);
    rule.provider.on('token', () => ({ reset: true }));
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'outcome_unknown' });
  });
});

describe('tokens that cannot be verified yet', () => {
  it.concurrent('are held, sealed, and approve once the provider’s keys are there', async () => {
    const rule = await house.addRule();
    rule.provider.on('jwks', () => ({ status: 503 }));
    const { id, authReqId } = await house.begin(rule);
    rule.provider.approve(authReqId);
    await polled(rule.provider, authReqId, 1);
    const held = () => house.query<{ answer: Buffer }>(`select answer from held_answers where request_id = $1`, [id]);
    while ((await held()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await held())[0]!.answer.toString('latin1')).not.toContain('access_token');
    rule.provider.off('jwks');
    expect(await house.ended(id)).toMatchObject({ status: 'approved' });
    expect(pollsOf(rule.provider, authReqId)).toHaveLength(1);
    expect(await held()).toEqual([]);
  });
});

describe('providers', () => {
  it.concurrent('that hang hold up nobody else', async () => {
    const slow = await house.addRule();
    slow.provider.on('token', () => ({ hang: true }));
    const stuck = await house.begin(slow);
    const fast = await house.addRule();
    const { id, authReqId } = await house.begin(fast);
    await polled(slow.provider, stuck.authReqId, 1);
    fast.provider.approve(authReqId);
    expect(await house.ended(id)).toMatchObject({ status: 'approved' });
    // Lets the poll go, so that the house can close.
    await slow.provider.goAway();
  });
});

describe('the rhythm of many', () => {
  it('never polls early, never twice at once, and writes nothing (R50, R52)', async () => {
    const rule = await house.addRule();
    const requests = [];
    for (let i = 0; i < 20; i++) requests.push(await house.begin(rule));
    const inFlight = new Map<string, number>();
    let overlaps = 0;
    rule.provider.on('token', async ({ form }) => {
      const authReqId = form.get('auth_req_id')!;
      const now = (inFlight.get(authReqId) ?? 0) + 1;
      if (now > 1) overlaps++;
      inFlight.set(authReqId, now);
      await new Promise((resolve) => setTimeout(resolve, 30));
      inFlight.set(authReqId, now - 1);
      return null;
    });
    const startedAtMs = new Map(
      rule.provider.requests.map(({ authReqId }, i) => [
        authReqId,
        rule.provider.calls('backchannel')[i]!.receivedAtMs,
      ]),
    );
    await Promise.all(requests.map(({ authReqId }) => polled(rule.provider, authReqId, 1)));
    // What the test waits for has been committed; the outbox is settled in the background.
    const leases = ['poller_shards', 'poller_instances', 'outbox'];
    const before = await house.written(leases);
    await Promise.all(requests.map(({ authReqId }) => polled(rule.provider, authReqId, 4)));
    expect(await house.written(leases)).toBe(before);

    expect(overlaps).toBe(0);
    for (const { authReqId } of requests) {
      const times = [startedAtMs.get(authReqId)!, ...pollsOf(rule.provider, authReqId).map((c) => c.receivedAtMs)];
      const gaps = times.slice(1).map((time, i) => time - times[i]!);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1000);
    }
    requests.forEach(({ authReqId }) => rule.provider.approve(authReqId));
    for (const { id } of requests) expect((await house.ended(id)).status).toBe('approved');
    const counts = requests.map(({ authReqId }) => pollsOf(rule.provider, authReqId).length);
    await Promise.all([polledElsewhere(), polledElsewhere()]);
    expect(requests.map(({ authReqId }) => pollsOf(rule.provider, authReqId).length)).toEqual(counts);
  });

  /** Lets another request be polled: a poll that should not be would have come by then. */
  async function polledElsewhere(): Promise<void> {
    const rule: HouseRule = await house.addRule();
    const { authReqId } = await house.begin(rule);
    await polled(rule.provider, authReqId, 2);
  }
});

describe('tokens that cannot be recorded', () => {
  it('are kept until the database takes them; the poll is not repeated', async () => {
    const rule = await house.addRule();
    const { id, authReqId } = await house.begin(rule);
    rule.provider.approve(authReqId);
    let refused: Promise<unknown> = Promise.resolve();
    answerOnce(rule.provider, async () => {
      await house.query('alter table request_timeline rename to away');
      // By then the first attempts to commit have failed.
      refused = new Promise((resolve) => setTimeout(resolve, 700)).then(() =>
        house.query('alter table away rename to request_timeline'),
      );
      return null;
    });
    expect(await house.ended(id)).toMatchObject({ status: 'approved' });
    await refused;
    expect(pollsOf(rule.provider, authReqId)).toHaveLength(1);
  });
});
