import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PollingHouse, type HouseRule } from '../../../test/support/polling-house.js';

let house: PollingHouse;
let rule: HouseRule;
const timeoutMs = 60_000;

beforeEach(async () => {
  house = await PollingHouse.open();
  await house.startWorker();
}, timeoutMs);
afterEach(() => house.close(), timeoutMs);

const refuse = () => rule.provider.on('token', () => ({ status: 401, json: { error: 'invalid_client' } }));
const polls = () => rule.provider.calls('token').length;
const endPause = () => house.query('update client_refusals set paused_until = clock_timestamp()');

describe('a client that the provider refuses at the token endpoint (R62)', () => {
  it('ends one request; the others are not polled until the pause is over, and go on when it is taken', async () => {
    rule = await house.addRule();
    refuse();
    await house.startPoller();
    const { id: refused } = await house.begin(rule);
    expect(await house.ended(refused)).toMatchObject({ status: 'failed', reason: 'configuration_error' });
    const begun = [await house.begin(rule), await house.begin(rule), await house.begin(rule)];
    begun.forEach(({ authReqId }) => rule.provider.approve(authReqId));
    // Their moments come, and the client is refused still: nobody is polled for.
    await house.query(`update client_refusals set paused_until = clock_timestamp() + interval '1 hour'`);
    await house.query(`select pg_sleep(2)`);
    expect(polls()).toBe(1);
    rule.provider.off('token');
    await endPause();
    for (const { id } of begun) expect(await house.ended(id)).toMatchObject({ status: 'approved' });
    expect(polls()).toBe(4);
    expect(await house.query('select from client_refusals')).toEqual([]);
  });

  it('fails those that could not be asked about by their deadline', async () => {
    rule = await house.addRule({ expiresInSeconds: 6 });
    const { id } = await house.begin(rule);
    await house.database.clientRefusals.note(
      { rule: { id: rule.id, version: rule.version }, call: 'poll' },
      { tokenProviderId: rule.tokenProviderId, error: 'invalid_client' },
    );
    await house.query(`update client_refusals set paused_until = clock_timestamp() + interval '1 hour'`);
    await house.startPoller();
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'configuration_error' });
    expect(polls()).toBe(0);
  });
});
