import { createHash, randomUUID } from 'node:crypto';
import { askedText } from '#lib/domain';
import type { RequestView } from '#lib/persistence';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PollingHouse } from '../../../test/support/polling-house.js';
import type { ScriptedProvider } from '../../../test/support/scripted-provider.js';

/** The stories run side by side, each at a provider of its own, and two workers share them. */
let house: PollingHouse;
const timeoutMs = 60_000;

beforeAll(async () => {
  house = await PollingHouse.open();
  await Promise.all([house.startWorker(), house.startWorker()]);
}, timeoutMs);
afterAll(() => house.close(), timeoutMs);

const started = (id: string) => house.fact(id, ['authorization.initiated', 'authorization.failed']);

const attempts = async (id: string): Promise<(string | null)[]> =>
  (
    await house.query<{ outcome: string | null }>(
      'select outcome from start_attempts where request_id = $1 order by number',
      [id],
    )
  ).map(({ outcome }) => outcome);

/** Waits until a request's attempts stand so. */
async function attempted(id: string, outcomes: readonly (string | null)[]): Promise<void> {
  while (JSON.stringify(await attempts(id)) !== JSON.stringify(outcomes)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Answers the next start call so, and leaves all later ones to the default script. */
function answerOnce(provider: ScriptedProvider, answer: Parameters<ScriptedProvider['on']>[1]): void {
  provider.on('backchannel', (call) => {
    provider.off('backchannel');
    return answer(call);
  });
}

describe('a request whose provider acknowledges', () => {
  it.concurrent(
    'is pending until the time of sending plus expires_in, with the provider’s interval (R20, R27, R46)',
    async () => {
      const rule = await house.addRule(
        { expiresInSeconds: 90, intervalSeconds: 7 },
        { scopes: ['pay'], acrValues: ['gold', 'silver'] },
      );
      const { id } = await house.begin(rule);
      const [row] = await house.query(
        `select r.status, r.interval_seconds, r.expires_at = a.sent_at + interval '90 seconds' as on_time, a.outcome
       from authorization_requests r join start_attempts a on a.request_id = r.id where r.id = $1`,
        [id],
      );
      expect(row).toEqual({ status: 'pending', interval_seconds: 7, on_time: true, outcome: 'acknowledged' });
      const [call] = rule.provider.calls('backchannel');
      expect(Object.fromEntries(call!.form)).toMatchObject({
        scope: 'openid pay',
        login_hint: 'alice@example.com',
        binding_message: 'Pay 10.00 EUR',
        acr_values: 'gold silver',
      });
      expect(call!.form.has('client_notification_token')).toBe(false);
    },
  );

  it.concurrent('is put to its provider once, however often its event comes', async () => {
    const rule = await house.addRule();
    const { id } = await house.begin(rule);
    const [stored] = await house.query<{ id: string; event: never; routing_key: string }>(
      `select id, routing_key, event from outbox where event->>'subject' = $1 and routing_key = 'authorization.requested'`,
      [id],
    );
    const again = { exchange: 'assent.authorizations', routingKey: stored!.routing_key, event: stored!.event } as const;
    await Promise.all([house.bus.publish(again), house.bus.publish(again)]);
    await house.begin(rule);
    expect(rule.provider.calls('backchannel')).toHaveLength(2);
    expect(await attempts(id)).toEqual(['acknowledged']);
  });

  it.concurrent('stays cancelled when it was cancelled during the call', async () => {
    const rule = await house.addRule();
    const id = await house.submit(rule);
    answerOnce(rule.provider, async () => {
      await house.database.requests.change(id, { type: 'cancel', by: 'test' });
      return null;
    });
    expect(await house.ended(id)).toMatchObject({ status: 'cancelled' });
    await house.begin(rule);
    expect((await house.database.requests.view(id, null))!.status).toBe('cancelled');
  });

  it.concurrent('fails when the auth_req_id serves another request already', async () => {
    const rule = await house.addRule();
    const { authReqId } = await house.begin(rule);
    rule.provider.on('backchannel', () => ({ json: { auth_req_id: authReqId, expires_in: 60 } }));
    const id = await house.submit(rule);
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'invalid_evidence' });
  });
});

describe('a start answer that a ping has overtaken', () => {
  /** The ping is taken in while the start call is under way. */
  async function overtaken(authReqId: (answered: string) => string) {
    const rule = await house.addRule(
      { metadata: { backchannel_token_delivery_modes_supported: ['poll', 'ping'] } },
      { deliveryMode: 'ping' },
    );
    const answered = randomUUID();
    const id = await house.submit(rule);
    answerOnce(rule.provider, async () => {
      const [attempt] = await house.query<{ id: string; sent_at: Date }>(
        'select id, sent_at from start_attempts where request_id = $1',
        [id],
      );
      await house.database.requests.change(id, {
        type: 'acknowledge',
        attemptId: attempt!.id,
        authReqId: authReqId(answered),
        sentAt: attempt!.sent_at,
        expiresInSeconds: 120,
        intervalSeconds: 5,
        byNotification: true,
      });
      return { json: { auth_req_id: answered, expires_in: 120 } };
    });
    return { id, settled: async () => void (await house.begin(await house.addRule())) };
  }

  it.concurrent('changes nothing when it names the same auth_req_id (R47)', async () => {
    const { id, settled } = await overtaken((answered) => answered);
    expect(await started(id)).toMatchObject({ status: 'pending' });
    await settled();
    expect((await house.database.requests.view(id, null))!.status).toBe('pending');
  });

  it.concurrent(
    'ends the request when it names another one: nobody knows what the person is asked about (R47)',
    async () => {
      const { id } = await overtaken(() => randomUUID());
      expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'provider_error' });
    },
  );
});

describe('definite non-acceptance', () => {
  it.concurrent('of a refused connection is tried again until the provider is there', async () => {
    const rule = await house.addRule();
    await rule.provider.goAway();
    const id = await house.submit(rule);
    await attempted(id, ['not-accepted']);
    await rule.provider.comeBack();
    expect(await started(id)).toMatchObject({ status: 'pending' });
    expect(rule.provider.calls('backchannel')).toHaveLength(1);
    const outcomes = await attempts(id);
    expect(outcomes.at(-1)).toBe('acknowledged');
    expect(new Set(outcomes.slice(0, -1))).toEqual(new Set(['not-accepted']));
  });

  it.concurrent('waits as long as Retry-After says (R29)', async () => {
    const rule = await house.addRule();
    answerOnce(rule.provider, () => ({ status: 503, headers: { 'retry-after': '2' } }));
    const id = await house.submit(rule);
    expect(await started(id)).toMatchObject({ status: 'pending' });
    const [first, second] = rule.provider.calls('backchannel').map(({ receivedAtMs }) => receivedAtMs);
    expect(second! - first!).toBeGreaterThanOrEqual(2000);
    expect(await attempts(id)).toEqual(['not-accepted', 'acknowledged']);
  });

  it.concurrent(
    'waits as long as Retry-After says, whoever else sweeps meanwhile',
    async () => {
      const rule = await house.addRule();
      answerOnce(rule.provider, () => ({ status: 503, headers: { 'retry-after': '10' } }));
      const id = await house.submit(rule);
      await attempted(id, ['not-accepted']);
      expect(await started(id)).toMatchObject({ status: 'pending' });
      const [first, second] = rule.provider.calls('backchannel').map(({ receivedAtMs }) => receivedAtMs);
      expect(second! - first!).toBeGreaterThanOrEqual(10_000);
    },
    30_000,
  );

  it.concurrent('is given up when the next attempt would come more than 30 s after the first', async () => {
    const rule = await house.addRule();
    rule.provider.on('backchannel', () => ({ status: 429, headers: { 'retry-after': '31' } }));
    const id = await house.submit(rule);
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'provider_error' });
    expect(rule.provider.calls('backchannel')).toHaveLength(1);
  });

  it.concurrent('counts the 30 s from the first attempt by the database’s time, also of another process', async () => {
    const rule = await house.addRule();
    answerOnce(rule.provider, () => ({ status: 503, headers: { 'retry-after': '3' } }));
    const id = await house.submit(rule);
    await attempted(id, ['not-accepted']);
    await house.query(`update start_attempts set sent_at = sent_at - interval '40 seconds' where request_id = $1`, [
      id,
    ]);
    rule.provider.on('backchannel', () => ({ status: 503, headers: { 'retry-after': '1' } }));
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'provider_error' });
    expect(rule.provider.calls('backchannel')).toHaveLength(2);
  });
});

describe('a definite answer', () => {
  it.concurrent.each([
    ['invalid_client', 'failed', 'configuration_error'],
    ['unauthorized_client', 'failed', 'configuration_error'],
    ['access_denied', 'denied', 'provider_policy'],
    ['invalid_scope', 'failed', 'provider_rejected'],
    ['something_else', 'failed', 'provider_rejected'],
  ])('%s ends the request: %s, %s', async (error, status, reason) => {
    const rule = await house.addRule();
    rule.provider.on('backchannel', () => ({ status: 400, json: { error, error_description: 'why' } }));
    const id = await house.submit(rule);
    expect(await house.ended(id)).toMatchObject({ status, reason, providerError: { code: error, description: 'why' } });
    expect(rule.provider.calls('backchannel')).toHaveLength(1);
  });

  it.concurrent.each([
    [500, 'provider_error'],
    [502, 'initiation_unknown'],
    [504, 'initiation_unknown'],
  ])('%i without a word ends the request: %s', async (status, reason) => {
    const rule = await house.addRule();
    rule.provider.on('backchannel', () => ({ status, body: '' }));
    const id = await house.submit(rule);
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason });
    expect(rule.provider.calls('backchannel')).toHaveLength(1);
  });

  it.concurrent('is not even asked for when the provider has no backchannel endpoint', async () => {
    const rule = await house.addRule({ metadata: { backchannel_authentication_endpoint: undefined } });
    const id = await house.submit(rule);
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'configuration_error' });
  });
});

describe('somebody who cannot be asked', () => {
  it.concurrent.each([
    ['generic', 'unknown_user_id', 'alice@example.com does not exist'],
    ['keycloak', 'invalid_request', 'invalid user'],
    ['auth0', 'invalid_request', 'The user has no push notifications configured'],
  ] as const)('looks the same at every provider: %s, %s (R103, Q6, Q11)', async (profile, error, description) => {
    const rule = await house.addRule({ profile });
    rule.provider.on('backchannel', () => ({ status: 400, json: { error, error_description: description } }));
    const id = await house.submit(rule);
    expect(await house.ended(id)).toMatchObject({
      status: 'failed',
      reason: 'unknown_user',
      providerError: { code: 'unknown_user_id', description: null },
    });
    expect(rule.provider.calls('backchannel')).toHaveLength(1);
    expect(JSON.stringify(await house.database.requests.timeline(id, null))).not.toMatch(/invalid|alice|push/);
  });
});

describe('a refused lifetime', () => {
  const refuse: Parameters<ScriptedProvider['on']>[1] = ({ form }) =>
    form.has('requested_expiry') ? { status: 400, json: { error: 'invalid_request' } } : null;

  it.concurrent(
    'is left out of one more call, where the profile knows that it may be refused (R105, Q14)',
    async () => {
      const rule = await house.addRule({ profile: 'duende', expiresInSeconds: 90 }, { requestedExpirySeconds: 600 });
      rule.provider.on('backchannel', refuse);
      const { id } = await house.begin(rule);
      expect(rule.provider.calls('backchannel').map(({ form }) => form.get('requested_expiry'))).toEqual(['600', null]);
      expect(await attempts(id)).toEqual(['not-accepted', 'acknowledged']);
    },
  );

  it.concurrent.each([
    ['generic', 600, 1],
    ['duende', null, 1],
    ['duende', 600, 2],
  ] as const)(
    'of %s, asked for %s, makes %i calls when everything is refused (R105)',
    async (profile, asked, calls) => {
      const rule = await house.addRule({ profile }, { requestedExpirySeconds: asked });
      rule.provider.on('backchannel', () => ({ status: 400, json: { error: 'invalid_request' } }));
      const id = await house.submit(rule);
      expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'provider_rejected' });
      expect(rule.provider.calls('backchannel')).toHaveLength(calls);
    },
  );
});

describe('a refused binding message', () => {
  const refusal = { status: 400, json: { error: 'invalid_binding_message' } };

  it.concurrent('is made plainer, once, and shown as it was sent, with its hash (R104)', async () => {
    const rule = await house.addRule({ metadata: { backchannel_user_code_parameter_supported: true } });
    const id = randomUUID();
    let before: RequestView | null = null;
    rule.provider.on('backchannel', async ({ form }) => {
      if (/[^a-zA-Z0-9._-]/.test(form.get('binding_message')!)) return refusal;
      before = await house.database.requests.view(id, null);
      return null;
    });
    await house.submit(rule, { id, userCode: '1234' });
    await started(id);
    const calls = rule.provider
      .calls('backchannel')
      .map(({ form }) => [form.get('binding_message'), form.get('user_code')]);
    expect(calls).toEqual([
      ['Pay 10.00 EUR', '1234'],
      ['Pay-10.00-EUR', '1234'],
    ]);
    const asked = {
      ruleId: rule.id,
      ruleVersion: 1,
      attributes: { email: 'alice@example.com' },
      bindingMessage: 'Pay-10.00-EUR',
    };
    const requestHash = createHash('sha256').update(askedText(asked)).digest('base64url');
    expect(before).toMatchObject({ status: 'requested', bindingMessage: 'Pay-10.00-EUR', requestHash });
    const after = await house.database.requests.view(id, null);
    expect(after).toMatchObject({ status: 'pending', bindingMessage: 'Pay-10.00-EUR', requestHash });
    expect(await attempts(id)).toEqual(['refused', 'acknowledged']);
    const timeline = await house.database.requests.timeline(id, null);
    expect(timeline!.map(({ type }) => type)).toEqual(['requested', 'reworded', 'initiated']);
  });

  it.concurrent('is not made plainer twice (R104)', async () => {
    const rule = await house.addRule();
    rule.provider.on('backchannel', () => refusal);
    const id = await house.submit(rule);
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'provider_rejected' });
    expect(rule.provider.calls('backchannel')).toHaveLength(2);
  });

  it.concurrent('is left alone when it is as plain as can be (R104)', async () => {
    const rule = await house.addRule();
    rule.provider.on('backchannel', () => refusal);
    const id = await house.submit(rule, { bindingMessage: 'Code-7' });
    expect(await house.ended(id)).toMatchObject({ status: 'failed', bindingMessage: 'Code-7' });
    expect(rule.provider.calls('backchannel')).toHaveLength(1);
  });

  it.concurrent('of a request that was cancelled meanwhile asks nobody again (R104)', async () => {
    const rule = await house.addRule();
    const id = randomUUID();
    rule.provider.on('backchannel', async () => {
      await house.database.requests.change(id, { type: 'cancel', by: 'test' });
      return refusal;
    });
    await house.submit(rule, { id });
    expect(await house.ended(id)).toMatchObject({ status: 'cancelled', bindingMessage: 'Pay 10.00 EUR' });
    await house.begin(await house.addRule());
    expect(rule.provider.calls('backchannel')).toHaveLength(1);
  });
});

describe('a lost answer', () => {
  it.concurrent('ends the request as unknown; the person is not asked again (R28)', async () => {
    const rule = await house.addRule();
    rule.provider.on('backchannel', () => ({ reset: true }));
    const id = await house.submit(rule);
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'initiation_unknown' });
    expect(await attempts(id)).toEqual(['unknown']);
    expect(rule.provider.calls('backchannel')).toHaveLength(1);
  });

  it.concurrent('leads to one more prompt when the rule says so', async () => {
    const rule = await house.addRule({}, { onInitiationUnknown: 'ask-again' });
    answerOnce(rule.provider, () => ({ reset: true }));
    const id = await house.submit(rule);
    expect(await started(id)).toMatchObject({ status: 'pending' });
    expect(await attempts(id)).toEqual(['unknown', 'acknowledged']);
  });

  it.concurrent('twice is enough, whatever the rule says', async () => {
    const rule = await house.addRule({}, { onInitiationUnknown: 'ask-again' });
    rule.provider.on('backchannel', () => ({ reset: true }));
    const id = await house.submit(rule);
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'initiation_unknown' });
    expect(rule.provider.calls('backchannel')).toHaveLength(2);
  });
});
