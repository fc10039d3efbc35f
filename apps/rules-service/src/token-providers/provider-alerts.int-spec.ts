import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page, ProviderCheck, Rule, TokenProvider } from '#lib/contracts';
import type { AssentClient } from '../../../../test/support/assent-client.js';
import { ruleBody, RulesHouse } from '../../../../test/support/rules-house.js';
import { startScriptedProvider, type ScriptedProvider } from '../../../../test/support/scripted-provider.js';

describe('a token provider that refuses a client (R62)', () => {
  let house: RulesHouse;
  let provider: ScriptedProvider;
  let admin: AssentClient;
  let created: TokenProvider;
  let rule: Rule;
  beforeAll(async () => {
    house = await RulesHouse.open();
    provider = await startScriptedProvider();
    admin = house.admin;
    created = await admin.create<TokenProvider>('token-providers', { name: 'P', issuer: provider.issuer });
    rule = await admin.create<Rule>('rules', ruleBody(created.id, { name: 'Pay' }));
  }, 60_000);
  afterAll(async () => {
    await provider.stop();
    await house.close();
  });

  const shown = async () => (await admin.call<TokenProvider>('GET', `/v1/token-providers/${created.id}`)).body;
  const check = async () => (await admin.call<ProviderCheck>('POST', `/v1/token-providers/${created.id}/check`)).body;

  it('says so in its document, with the rule and the time, until a check finds the client accepted', async () => {
    expect(created.alerts).toEqual([]);
    const subject = { rule: { id: rule.id, version: rule.version }, call: 'start' } as const;
    await house.database.clientRefusals.note(subject, { tokenProviderId: created.id, error: 'invalid_client' });
    const alert = {
      code: 'client_refused',
      rule: { id: rule.id, name: 'Pay' },
      call: 'start',
      error: 'invalid_client',
      since: expect.stringMatching(/Z$/),
      lastAt: expect.stringMatching(/Z$/),
      pausedUntil: expect.stringMatching(/Z$/),
    };
    expect((await shown()).alerts).toEqual([alert]);
    const { body: page } = await admin.call<Page<TokenProvider>>('GET', '/v1/token-providers');
    expect(page.data.find(({ id }) => id === created.id)?.alerts).toEqual([alert]);

    provider.on('token', () => ({ status: 401, json: { error: 'invalid_client' } }));
    const found = await check();
    expect(found.findings.map(({ code }) => code)).toContain('client_calls_paused');
    expect((await shown()).alerts).toHaveLength(1);

    provider.off('token');
    expect((await check()).findings.map(({ code }) => code)).not.toContain('client_calls_paused');
    expect((await shown()).alerts).toEqual([]);
    expect(await house.database.clientRefusals.admit(subject, true)).toBeNull();
  });
});
