import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PollingHouse } from '../../../test/support/polling-house.js';

let house: PollingHouse;
const timeoutMs = 60_000;

beforeAll(async () => {
  house = await PollingHouse.open();
  await house.startWorker();
}, timeoutMs);
afterAll(() => house.close(), timeoutMs);

describe('further parameters', () => {
  it('are sent as templates say, and left out when they come out empty (R25, R122)', async () => {
    const extraParameters = {
      audience: 'https://api.example.com/{{shop}}',
      resource: '{{nothing}}',
      request_context: '{"ip":"{{ip}}"}',
    };
    const rule = await house.addRule({}, { extraParameters });
    const attributes = { email: 'alice@example.com', shop: 'a&b', nothing: '', ip: '"},"x":"' };
    await house.begin(rule, { attributes });
    const { form } = rule.provider.calls('backchannel')[0]!;
    expect(form.get('audience')).toBe('https://api.example.com/a&b');
    expect(form.has('resource')).toBe(false);
    expect(JSON.parse(form.get('request_context')!)).toEqual({ ip: '"},"x":"' });
  });

  it.each(['login_hint', 'scope', 'client_id', 'unheard_of'])(
    'that the profile does not list keep anybody from being asked: %s (R24, R25)',
    async (name) => {
      const rule = await house.addRule({}, { extraParameters: { [name]: 'bob@example.com' } });
      const id = await house.submit(rule);
      expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'configuration_error' });
      expect(rule.provider.calls('backchannel')).toEqual([]);
    },
  );

  it('are sent once each, with everything else (R24)', async () => {
    const rule = await house.addRule(
      {},
      { extraParameters: { audience: 'api' }, acrValues: ['gold'], scopes: ['pay'] },
    );
    await house.begin(rule);
    const names = [...rule.provider.calls('backchannel')[0]!.form.keys()];
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a user code', () => {
  /** Every row of every table, as text, bytes as they are. */
  async function everything(): Promise<string> {
    const tables = await house.query<{ name: string }>(
      `select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
    );
    const rows = await Promise.all(
      tables.map(({ name }) => house.query<{ row: string }>(`select row_to_json(t)::text as row from ${name} t`)),
    );
    return rows
      .flat()
      .map(({ row }) => row)
      .join('\n');
  }
  const shown = (text: string, canary: string): boolean =>
    [canary, Buffer.from(canary).toString('hex'), Buffer.from(canary).toString('base64')].some((form) =>
      text.includes(form),
    );
  const sealed = async (id: string): Promise<boolean> =>
    (
      await house.query<{ there: boolean }>(
        'select user_code is not null as there from authorization_requests where id = $1',
        [id],
      )
    )[0]!.there;

  it.each<[string, object]>([
    ['acknowledged', { metadata: { backchannel_user_code_parameter_supported: true } }],
    ['refused', { metadata: { backchannel_user_code_parameter_supported: true } }],
  ])('is sealed until the call that was %s, and then gone (R22, R110)', async (end, options) => {
    const userCode = `canary-${randomUUID()}`;
    const rule = await house.addRule(options);
    let during = false;
    const id = randomUUID();
    rule.provider.on('backchannel', async () => {
      during = await sealed(id);
      return end === 'refused' ? { status: 400, json: { error: 'invalid_user_code' } } : null;
    });
    await house.submit(rule, { id, userCode });
    await house.fact(id, ['authorization.initiated', 'authorization.failed']);
    expect(rule.provider.calls('backchannel')[0]!.form.get('user_code')).toBe(userCode);
    expect([during, await sealed(id)]).toEqual([true, false]);
    expect(shown(await everything(), userCode)).toBe(false);
    expect(shown(JSON.stringify(house.logged), userCode)).toBe(false);
    expect(shown(JSON.stringify(house.told), userCode)).toBe(false);
    expect(await everything()).toContain(id);
    expect(JSON.stringify(house.told)).toContain(id);
  });

  it.each<[string, unknown]>([
    ['says nothing of it', undefined],
    ['says that it takes none', false],
    ['says something else', 'true'],
  ])('keeps anybody from being asked when the provider %s (R5)', async (_what, value) => {
    const rule = await house.addRule({ metadata: { backchannel_user_code_parameter_supported: value } });
    const id = await house.submit(rule, { userCode: '1234' });
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'configuration_error' });
    expect(rule.provider.calls('backchannel')).toEqual([]);
    expect(await sealed(id)).toBe(false);
  });
});
