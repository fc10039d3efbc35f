import { randomUUID } from 'node:crypto';
import type { Problem, PromptLimitConfig, Rule } from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AssentClient } from '../../../../test/support/assent-client.js';
import { RulesHouse } from '../../../../test/support/rules-house.js';

const defaults: Partial<PromptLimitConfig> = {};

let house: RulesHouse;
let rule: Rule;
let shop: AssentClient;
beforeAll(async () => {
  house = await RulesHouse.open({ limits: defaults });
  await house.startService();
  rule = await house.rule();
  shop = await house.client('requests:write', 'requests:read');
});
afterAll(() => house.close());

const somebody = () => `${randomUUID()}@example.com`;
const ask = async (email: string, over: object = {}, headers: Record<string, string> = {}, client = shop) => {
  const answer = await client.submit({ rule: rule.id, attributes: { email }, ...over }, headers);
  return { ...answer, body: answer.body as typeof answer.body & Omit<Problem, 'status'> };
};
const stored = async (): Promise<number> =>
  Number((await house.query<{ count: string }>('select count(*) from authorization_requests'))[0]!.count);

describe('a person (R108)', () => {
  it('is asked five times at once, and then no more: 429, when to come again, nothing stored', async () => {
    const person = somebody();
    for (let n = 0; n < 5; n++) {
      const { status, headers } = await ask(person);
      expect([status, headers.get('ratelimit')]).toEqual([
        202,
        `"outstanding";r=${4 - n}, "five-minutes";r=${9 - n}, "hour";r=${59 - n}`,
      ]);
      expect(headers.get('ratelimit-policy')).toBe('"outstanding";q=5, "five-minutes";q=10;w=300, "hour";q=60;w=3600');
    }
    const before = await stored();
    const refused = await ask(person);
    expect(refused).toMatchObject({ status: 429, body: { code: 'prompt_limit' } });
    const { handler, response } = refused.body.rejection!;
    expect([handler.name, response.status]).toEqual(['Default Rate Limiting Rejection Handler', 429]);
    expect(JSON.parse(response.body!)).toMatchObject({ title: 'Asked too often' });
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(refused.headers.get('ratelimit-policy')).toBe('"outstanding";q=5');
    expect(refused.headers.get('ratelimit')).toBe('"outstanding";r=0;t=30');
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await stored()).toBe(before);
  });

  it('is not told apart from nobody: the answer is the same whether the provider knows the person', async () => {
    const [known, unknown] = [somebody(), somebody()];
    for (let n = 0; n < 5; n++) {
      const { body } = await ask(known);
      await ask(unknown);
      // What the worker would write for somebody whom the provider does not know comes later, and elsewhere.
      if (n === 0) await house.acknowledge(body.id);
    }
    const shown = async (person: string) => {
      const { status, body, headers } = await ask(person);
      return [status, body, headers.get('retry-after'), headers.get('ratelimit'), headers.get('ratelimit-policy')];
    };
    expect(await shown(known)).toEqual(await shown(unknown));
  });

  it('is asked ten times in five minutes, and left alone after two denials where that is wanted', async () => {
    const person = somebody();
    for (let n = 0; n < 10; n++) {
      const { body } = await ask(person);
      expect((await shop.cancel(body.id)).status).toBe(200);
    }
    const often = await ask(person);
    expect(often.headers.get('ratelimit-policy')).toBe('"five-minutes";q=10;w=300');
    const other = somebody();
    for (let n = 0; n < 2; n++) await house.deny((await ask(other)).body.id);
    expect((await ask(other)).status).toBe(202);
    const resting = await house.rule({ promptLimits: { coolDownSeconds: 900 } });
    const alone = await ask(other, { rule: resting.id });
    expect(alone).toMatchObject({ status: 429, body: { code: 'prompt_limit' } });
    expect(alone.headers.get('ratelimit-policy')).toBe('"cool-down";q=0;w=900');
    expect(Number(alone.headers.get('retry-after'))).toBeGreaterThan(800);
  });

  it('is asked as often as the rule says, where the rule says so', async () => {
    const own = await house.rule({ promptLimits: { outstanding: 2, coolDownSeconds: 0 } });
    const person = somebody();
    for (let n = 0; n < 2; n++) await house.deny((await ask(person, { rule: own.id })).body.id);
    expect((await ask(person, { rule: own.id })).status).toBe(202);
    expect((await ask(person, { rule: own.id })).status).toBe(202);
    expect((await ask(person, { rule: own.id })).headers.get('ratelimit-policy')).toBe('"outstanding";q=2');
    const patched = await house.admin.call<Rule>('PATCH', `/v1/rules/${own.id}`, { promptLimits: { outstanding: 3 } });
    expect(patched.body.promptLimits).toEqual({ outstanding: 3, coolDownSeconds: 0 });
    expect((await ask(person, { rule: own.id })).status).toBe(202);
    const freed = await house.admin.call<Rule>('PATCH', `/v1/rules/${own.id}`, { promptLimits: null });
    expect(freed.body.promptLimits).toBeNull();
  });

  it('is asked five times, however its hint is encrypted to the provider', async () => {
    const own = await house.rule({ hintKind: 'id_token_hint' });
    const encrypted = () => `eyJhbGciOiJSU0EifQ.a2V5.aXY.${Buffer.from(randomUUID()).toString('base64url')}.dGFn`;
    const statuses = [];
    for (let n = 0; n < 6; n++) statuses.push((await ask(encrypted(), { rule: own.id })).status);
    expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
  });

  it('is not asked again for a repetition, which is answered at the limit too', async () => {
    const person = somebody();
    const key = { 'idempotency-key': randomUUID() };
    const first = await ask(person, {}, key);
    for (let n = 0; n < 4; n++) await ask(person);
    expect((await ask(person)).status).toBe(429);
    const again = await ask(person, {}, key);
    expect([again.status, again.body.id, again.headers.get('idempotent-replayed')]).toEqual([
      202,
      first.body.id,
      'true',
    ]);
    expect(again.headers.has('ratelimit')).toBe(false);
  });
});

describe('an API client and a rule (R108)', () => {
  it('have limits of their own, in a minute of the clock', async () => {
    const made = await house.admin.create<{ id: string; key: string }>('api-clients', {
      name: `Client ${randomUUID()}`,
      scopes: ['requests:write'],
      requestsPerMinute: 1,
    });
    const client = new AssentClient(house.url, made.key);
    // The minute may turn between two calls, not between three.
    const answers = [];
    for (let n = 0; n < 3; n++) answers.push(await ask(somebody(), {}, {}, client));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(1);
    expect(refused[0]!.headers.get('ratelimit-policy')).toBe('"client";q=1;w=60');
    const narrow = await house.rule({ promptLimits: { rulePerMinute: 1 } });
    expect(answers.find(({ status }) => status === 202)!.headers.get('ratelimit')).toContain('"client";r=0');
    const underRule = [];
    for (let n = 0; n < 3; n++) underRule.push(await ask(somebody(), { rule: narrow.id }));
    expect(underRule.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(1);
  });
});

describe('an identical request (R108)', () => {
  it('is answered with the one that waits, when the rule joins', async () => {
    const joining = await house.rule({ joinIdentical: true, bindingMessage: 'Pay {{amount}}' });
    const email = somebody();
    const same = (over: object = {}) => ask(email, { rule: joining.id, attributes: { email, amount: '5' }, ...over });
    const first = await same();
    const second = await same({ metadata: { note: 'second' } });
    expect([second.status, second.body.id, second.headers.get('request-joined')]).toEqual([202, first.body.id, 'true']);
    expect(first.headers.get('request-joined')).toBeNull();
    const others = [
      await same({ attributes: { email, amount: '6' } }),
      await same({ bindingMessage: 'Pay me' }),
      await same({ callbackUrl: 'http://127.0.0.1:1/x' }),
      await ask(email, { rule: joining.id, attributes: { email, amount: '5' } }, {}, house.admin),
    ];
    expect(new Set([first, ...others].map(({ body }) => body.id)).size).toBe(5);
    await shop.cancel(first.body.id);
    expect((await same()).headers.get('request-joined')).toBeNull();
  });

  it('is asked again, when the rule does not', async () => {
    const email = somebody();
    expect((await ask(email)).body.id).not.toBe((await ask(email)).body.id);
  });
});
