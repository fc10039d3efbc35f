import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JWTPayload } from 'jose';
import { PollingHouse, type HouseRule } from '../../../test/support/polling-house.js';

/** The stories run side by side, each at a provider of its own. */
let house: PollingHouse;
const timeoutMs = 60_000;

beforeAll(async () => {
  house = await PollingHouse.open();
  await house.startWorker();
  await house.startPoller();
}, timeoutMs);
afterAll(() => house.close(), timeoutMs);

/** Lets the next poll have tokens that are in order, with these members on top. */
async function answerTokens({ provider }: HouseRule, members: object, claims: JWTPayload = {}): Promise<void> {
  const tokens = { access_token: 'access', token_type: 'Bearer', id_token: await provider.idToken(claims) };
  provider.on('token', () => ({ json: { ...tokens, ...members } }));
}

describe('authorization details', () => {
  const authorizationDetails = [{ type: 'payment', amount: { value: '{{amount}}' } }, { type: 'account' }];
  const attributes = { email: 'alice@example.com', amount: '25.00' };
  const asked = [{ type: 'payment', amount: { value: '25.00' } }, { type: 'account' }];

  it.concurrent('are sent with the attributes of the request, and approved as sent (R97, R129)', async () => {
    const rule = await house.addRule({}, { authorizationDetails });
    await answerTokens(rule, { authorization_details: [asked[1], asked[0]] });
    const { id } = await house.begin(rule, { attributes });
    const [call] = rule.provider.calls('backchannel');
    expect(JSON.parse(call!.form.get('authorization_details')!)).toEqual(asked);
    expect(await house.ended(id)).toMatchObject({ status: 'approved' });
  });

  it.concurrent.each<[string, object]>([
    ['were not granted', {}],
    ['were granted in part', { authorization_details: asked.slice(0, 1) }],
    [
      'were granted for another amount',
      { authorization_details: [{ ...asked[0], amount: { value: '2500' } }, asked[1]] },
    ],
    ['were granted as the template says', { authorization_details: authorizationDetails }],
    ['were granted with more', { authorization_details: [asked[0], { ...asked[1], iban: 'DE1' }] }],
  ])('that %s prove no approval (R97)', async (_what, members) => {
    const rule = await house.addRule({}, { authorizationDetails });
    await answerTokens(rule, members);
    const { id } = await house.begin(rule, { attributes });
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'invalid_evidence' });
  });
});

describe('the expected subject', () => {
  const bound = { subjectPolicy: 'bound', subjectAttribute: 'customer' } as const;
  const attributes = { email: 'alice@example.com', customer: 'alice' };

  it.concurrent('is nobody in particular by default: who approved is recorded (R94)', async () => {
    const rule = await house.addRule();
    await answerTokens(rule, {}, { sub: 'mallory' });
    const { id } = await house.begin(rule);
    expect(await house.ended(id)).toMatchObject({ status: 'approved' });
  });

  it.concurrent.each([
    ['alice', 'approved', null],
    ['mallory', 'failed', 'invalid_evidence'],
    ['Alice', 'failed', 'invalid_evidence'],
  ])('of an attribute, against %s: %s (R94)', async (sub, status, reason) => {
    const rule = await house.addRule({}, bound);
    await answerTokens(rule, {}, { sub });
    const { id } = await house.begin(rule, { attributes });
    expect(await house.ended(id)).toMatchObject({ status, reason });
  });

  it.concurrent('of an attribute that is not there is nobody (R94)', async () => {
    const rule = await house.addRule({}, bound);
    await answerTokens(rule, {}, { sub: 'alice' });
    const { id } = await house.begin(rule);
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'invalid_evidence' });
  });

  it.concurrent.each([
    ['alice', 'approved', null],
    ['mallory', 'failed', 'invalid_evidence'],
  ])('of the ID token that is the hint, against %s: %s (R94)', async (sub, status, reason) => {
    const rule = await house.addRule({}, { hintKind: 'id_token_hint', subjectPolicy: 'hint' });
    await answerTokens(rule, {}, { sub });
    const loginHint = await rule.provider.idToken({ sub: 'alice' });
    const { id } = await house.begin(rule, { loginHint });
    const [call] = rule.provider.calls('backchannel');
    expect([call!.form.get('id_token_hint'), call!.form.has('login_hint')]).toEqual([loginHint, false]);
    expect(await house.ended(id)).toMatchObject({ status, reason });
  });

  it.concurrent('of a hint that names none is nobody (R94)', async () => {
    const rule = await house.addRule({}, { subjectPolicy: 'hint' });
    await answerTokens(rule, {}, { sub: 'alice@example.com' });
    const { id } = await house.begin(rule);
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'invalid_evidence' });
  });
});

describe('acr values', () => {
  it.concurrent.each<[string, string[], JWTPayload, string]>([
    ['one of them', ['gold', 'silver'], { acr: 'silver' }, 'approved'],
    ['another one', ['gold', 'silver'], { acr: 'bronze' }, 'failed'],
    ['all of them in one', ['gold', 'silver'], { acr: 'gold silver' }, 'failed'],
    ['none', ['gold'], {}, 'failed'],
    ['one that nobody asked for', [], { acr: 'bronze' }, 'approved'],
  ])('against %s (R21, R123)', async (_what, acrValues, claims, status) => {
    const rule = await house.addRule({}, { acrValues });
    await answerTokens(rule, {}, claims);
    const { id } = await house.begin(rule);
    expect(await house.ended(id)).toMatchObject({ status, reason: status === 'failed' ? 'invalid_evidence' : null });
  });
});
